from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelect2MultipleWidget

from accounts.admin.roles import held_by
from accounts.models import Invitation, Role
from accounts.services.invitations import invitation_create, invitation_resend, invitation_revoke
from core.admin import TenantAdmin
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm
from core.errors import DomainError


def role_choices() -> list[tuple[str, str]]:
    return list(Role.objects.order_by("name").values_list("code", "name"))


class InvitationForm(TenantModelForm):
    roles = forms.MultipleChoiceField(choices=role_choices, widget=UnfoldAdminSelect2MultipleWidget)

    def clean_email(self) -> str:
        return str(self.cleaned_data["email"]).lower()


@admin.register(Invitation)
class InvitationAdmin(TenantAdmin):
    """The mailed link works once. An invitation is sent again or revoked, never changed."""

    form = InvitationForm
    list_display = ["email", "roles", "created_at", "expires_at", "accepted_at", "revoked_at"]
    readonly_fields = ["expires_at", "accepted_at", "revoked_at"]
    search_keys = ("email",)
    in_palette = False
    actions_detail = ["resend", "revoke"]

    def save_model(self, request: HttpRequest, obj: Invitation, form: Any, change: bool) -> None:
        user: Any = request.user
        made = invitation_create(email=obj.email, roles=obj.roles, granter=held_by(request), inviter=user.name)
        obj.pk = made.pk

    @action(description="Send again", url_path="resend", permissions=["manage"])
    @confirmed("Send this invitation again? The link that was sent before is void then.")
    def resend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def send(invitation: Invitation) -> str:
            user: Any = request.user
            invitation_resend(invitation=invitation, granter=held_by(request), inviter=user.name)
            return f"A new link is on its way to {invitation.email}."

        return self._act(request, object_id, send)

    @action(description="Revoke", url_path="revoke", permissions=["manage"])
    @confirmed("Revoke this invitation? Its link is void then.")
    def revoke(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def withdraw(invitation: Invitation) -> str:
            invitation_revoke(invitation=invitation)
            return f"The invitation of {invitation.email} is revoked."

        return self._act(request, object_id, withdraw)

    def _act(self, request: HttpRequest, object_id: str, do: Any) -> HttpResponse:
        invitation = self.get_object(request, object_id)
        if invitation is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        try:
            self.message_user(request, do(invitation), messages.SUCCESS)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:accounts_invitation_change", args=[invitation.pk]))

    def has_manage_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("accounts.change_invitation"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
