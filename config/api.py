"""Every address of the API."""

from django.urls import path

from accounts.api import auth, documents, governance, partners, roles, second_factors, tenancy
from core.routing import Router
from inventory.api import catalog, locations, replenishment, stock, suppliers, vehicles
from notifications.api import events, messages, work

router = Router(
    tenancy.routes, roles.routes, partners.routes, documents.routes, governance.routes,
    catalog.routes, suppliers.routes, locations.routes, stock.routes, replenishment.routes, vehicles.routes,
    events.routes, messages.routes, work.routes,
)

# Addresses that need no sign-in; a contract test walks all others and expects 401.
ANONYMOUS = {"token", "token-refresh", "token-second-factor", "schema", "docs"}

urlpatterns = [
    path("auth/token/", auth.TokenView.as_view(), name="token"),
    path("auth/token/refresh/", auth.RefreshView.as_view(), name="token-refresh"),
    path("auth/token/second-factor/", second_factors.SecondFactorSignInView.as_view(), name="token-second-factor"),
    path("auth/sign-out/", auth.SignOutView.as_view(), name="sign-out"),
    path("me/", auth.MeView.as_view(), name="me"),
    path("me/second-factors/", second_factors.SecondFactorsView.as_view(), name="second-factors"),
    path("me/second-factors/<str:pk>/remove/", second_factors.SecondFactorView.as_view(), name="second-factor"),
    path("me/second-factors/totp/begin/", second_factors.TotpBeginView.as_view(), name="totp-begin"),
    path("me/second-factors/totp/activate/", second_factors.TotpActivateView.as_view(), name="totp-activate"),
    path("me/second-factors/recovery-codes/", second_factors.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("me/second-factors/webauthn/begin/", second_factors.WebAuthnBeginView.as_view(), name="webauthn-begin"),
    path("me/second-factors/webauthn/complete/", second_factors.WebAuthnCompleteView.as_view(), name="webauthn-complete"),
    *router.urls,
]
