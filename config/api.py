"""Every address of the API."""

from django.urls import path

from accounts.api import annotations, auth, customizing, documents, governance, partners, rates, roles, tenancy
from core.routing import Router
from inventory.api import catalog, locations, replenishment, stock, suppliers, vehicles
from notifications.api import events, messages, work

router = Router(
    tenancy.routes, roles.routes, partners.routes, documents.routes, governance.routes,
    annotations.routes, customizing.routes, rates.routes,
    catalog.routes, suppliers.routes, locations.routes, stock.routes, replenishment.routes, vehicles.routes,
    events.routes, messages.routes, work.routes,
)

# Addresses that need no sign-in; a contract test walks all others and expects 401.
ANONYMOUS = {"token", "token-refresh", "schema", "docs"}

urlpatterns = [
    path("auth/token/", auth.TokenView.as_view(), name="token"),
    path("auth/token/refresh/", auth.RefreshView.as_view(), name="token-refresh"),
    path("auth/sign-out/", auth.SignOutView.as_view(), name="sign-out"),
    path("me/", auth.MeView.as_view(), name="me"),
    *router.urls,
]
