"""Every address of the API."""

from django.urls import path

from accounts.api import (
    annotations,
    attachments,
    auth,
    customizing,
    documents,
    files,
    governance,
    impersonation,
    invitations,
    keys,
    partners,
    people,
    providers,
    rates,
    roles,
    second_factors,
    sessions,
    tenancy,
    ways_in,
)
from core.routing import Router
from inventory.api import catalog, inventory_value, locations, replenishment, stock, suppliers, valuation, vehicles
from notifications.api import deliveries, event_types, events, inbound, messages, webhooks, work

router = Router(
    tenancy.routes, people.routes, roles.routes, keys.routes, providers.routes, invitations.routes, sessions.routes,
    impersonation.routes,
    partners.routes, documents.routes, governance.routes, attachments.routes,
    annotations.routes, customizing.routes, rates.routes,
    catalog.routes, suppliers.routes, locations.routes, stock.routes, replenishment.routes, vehicles.routes,
    valuation.routes,
    events.routes, deliveries.routes, messages.routes, webhooks.routes, inbound.routes, work.routes,
)

# Addresses that need no sign-in; a contract test walks all others and expects 401.
ANONYMOUS = {
    "token",
    "token-refresh",
    "token-second-factor",
    "schema",
    "docs",
    "attachment-upload",
    "attachment-file",
    "inbound",
    "sign-up", "verify-email", "verify-email-resend", "password-reset", "password-reset-confirm", "invitation-accept",
}

urlpatterns = [
    path("auth/token/", auth.TokenView.as_view(), name="token"),
    path("auth/token/refresh/", auth.RefreshView.as_view(), name="token-refresh"),
    path("auth/token/second-factor/", second_factors.SecondFactorSignInView.as_view(), name="token-second-factor"),
    path("auth/sign-out/", auth.SignOutView.as_view(), name="sign-out"),
    path("auth/sign-up/", ways_in.SignUpView.as_view(), name="sign-up"),
    path("auth/verify-email/", ways_in.VerifyEmailView.as_view(), name="verify-email"),
    path("auth/verify-email/resend/", ways_in.ResendView.as_view(), name="verify-email-resend"),
    path("auth/password/reset/", ways_in.PasswordResetView.as_view(), name="password-reset"),
    path("auth/password/reset/confirm/", ways_in.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("auth/password/change/", ways_in.PasswordChangeView.as_view(), name="password-change"),
    path("auth/email/change/", ways_in.EmailChangeView.as_view(), name="email-change"),
    path("auth/invitation/accept/", ways_in.AcceptView.as_view(), name="invitation-accept"),
    path("auth/sessions/", sessions.OwnSessionsView.as_view(), name="own-sessions"),
    path("auth/sessions/<str:id>/", sessions.OwnSessionView.as_view(), name="own-session"),
    path("me/", people.OwnRecordView.as_view(), name="me"),
    path("me/avatar/", files.OwnAvatarView.as_view(), name="own-avatar"),
    path("avatars/<uuid:id>/", files.AvatarView.as_view(), name="avatar"),
    path("me/second-factors/", second_factors.SecondFactorsView.as_view(), name="second-factors"),
    path("me/second-factors/<str:pk>/remove/", second_factors.SecondFactorView.as_view(), name="second-factor"),
    path("me/second-factors/totp/begin/", second_factors.TotpBeginView.as_view(), name="totp-begin"),
    path("me/second-factors/totp/activate/", second_factors.TotpActivateView.as_view(), name="totp-activate"),
    path("me/second-factors/recovery-codes/", second_factors.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("me/second-factors/webauthn/begin/", second_factors.WebAuthnBeginView.as_view(), name="webauthn-begin"),
    path("me/second-factors/webauthn/complete/", second_factors.WebAuthnCompleteView.as_view(), name="webauthn-complete"),
    *router.urls,
    path("inventory-value/", inventory_value.InventoryValueView.as_view(), name="inventory-value"),
    path("inventory-value/history/", inventory_value.ValueHistoryView.as_view(), name="value-history"),
    path("inventory-value/costing-method/", inventory_value.CostingMethodView.as_view(), name="costing-method"),
    path("event-types/", event_types.EventTypesView.as_view(), name="event-types"),
    path("event-types/<str:id>/", event_types.EventTypeView.as_view(), name="event-type"),
    path("attachments/uploads/<str:id>/", files.SignedUploadView.as_view(), name="attachment-upload"),
    path("inbound/<uuid:id>/", inbound.InboundView.as_view(), name="inbound"),
    path("attachments/downloads/<str:id>/", files.SignedFileView.as_view(), name="attachment-file"),
]
