from django.urls import URLResolver, path
from django.urls.resolvers import RoutePattern
from django.views.generic import RedirectView

from config import api, health, scraping
from core.routing import API, BySegment, LateModule, LatePaths, Unnamed

description = LateModule("config.description")

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", health.process),
    path("readyz", health.ready),
    path("metrics", scraping.metrics),
    # By name, not by `include`, which would import all of them when the first request arrives.
    Unnamed(RoutePattern("admin/"), "config.admin_urls", app_name="admin", namespace="admin"),
    URLResolver(RoutePattern("account/"), "accounts.pages"),
    URLResolver(RoutePattern("subscriptions/"), "notifications.pages"),
    path(f"{API}schema/", description.DescriptionView.as_view(), name="schema"),
    path(f"{API}docs/", description.PageView.as_view(), name="docs"),
    BySegment(RoutePattern(API), api),
    LatePaths("config.compat", "signup", "signin", "users"),
    LatePaths("config.compat_parts", "parts", "stock", "reorder", "analytics"),
    LatePaths("config.compat_orders", "orders", "orderpacked", "orderdelivered"),
    LatePaths("config.compat_items", "items"),
]
handler404 = "core.problems.page_not_found"
handler500 = "core.problems.server_error"
