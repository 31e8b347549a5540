"""Every address of the API."""

from django.urls import path

from accounts.api import attachments, auth, documents, files, governance, partners, roles, tenancy
from core.routing import Router
from inventory.api import catalog, locations, replenishment, stock, suppliers, vehicles
from notifications.api import events, messages, work

router = Router(
    tenancy.routes, roles.routes, partners.routes, documents.routes, governance.routes,
    attachments.routes,
    catalog.routes, suppliers.routes, locations.routes, stock.routes, replenishment.routes, vehicles.routes,
    events.routes, messages.routes, work.routes,
)

# Addresses that need no sign-in; a contract test walks all others and expects 401.
ANONYMOUS = {"token", "token-refresh", "schema", "docs", "attachment-upload", "attachment-file"}

urlpatterns = [
    path("auth/token/", auth.TokenView.as_view(), name="token"),
    path("auth/token/refresh/", auth.RefreshView.as_view(), name="token-refresh"),
    path("auth/sign-out/", auth.SignOutView.as_view(), name="sign-out"),
    path("me/", auth.MeView.as_view(), name="me"),
    path("me/avatar/", files.OwnAvatarView.as_view(), name="own-avatar"),
    path("avatars/<uuid:id>/", files.AvatarView.as_view(), name="avatar"),
    *router.urls,
    path("attachments/uploads/<str:id>/", files.SignedUploadView.as_view(), name="attachment-upload"),
    path("attachments/downloads/<str:id>/", files.SignedFileView.as_view(), name="attachment-file"),
]
