from django.urls import URLResolver, include, path
from django.urls.resolvers import RoutePattern
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from config import health, scraping
from config.description import DescriptionView

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("healthz", health.process),
    path("readyz", health.ready),
    path("metrics", scraping.metrics),
    # By name, not by `include`, which would import every admin page when the first API request arrives.
    URLResolver(RoutePattern("admin/"), "config.admin_urls", app_name="admin", namespace="admin"),
    URLResolver(RoutePattern("account/"), "accounts.pages"),
    URLResolver(RoutePattern("subscriptions/"), "notifications.pages"),
    path("api/v1/schema/", DescriptionView.as_view(), name="schema"),
    path("api/v1/docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="docs"),
    path("api/v1/", include("config.api")),
    path("", include("config.compat")),
    path("", include("config.compat_parts")),
    path("", include("config.compat_orders")),
]
handler404 = "core.problems.page_not_found"
handler500 = "core.problems.server_error"
