from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from accounts.models import UserSession
from accounts.services.activity import session_revoke
from core.admin import ReadOnlyTenantAdmin
from core.admin_actions import confirmed


@admin.register(UserSession)
class UserSessionAdmin(ReadOnlyTenantAdmin):
    """Who is signed in to this organization, from where; an Admin ends a sign-in."""

    list_display = ["user", "email", "ip", "user_agent", "last_seen_at", "ended_at", "ended_reason"]
    list_select_related = ["user"]
    fields = ["user", "ip", "user_agent", "created_at", "last_seen_at", "expires_at", "ended_at", "ended_reason"]
    actions_detail = ["revoke"]

    @admin.display(description="e-mail address")
    def email(self, session: UserSession) -> str:
        return session.user.email

    @action(description="End this sign-in", url_path="revoke", permissions=["revoke"])
    @confirmed("End this sign-in? Its tokens and its cookie are void at once.")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        session = self.get_object(request, object_id)
        if session is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        session_revoke(session=session)
        self.message_user(request, f"{session} of {session.user} has ended.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:accounts_usersession_changelist"))

    def has_revoke_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("accounts.change_usersession"))
