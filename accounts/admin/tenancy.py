from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import action

from accounts.admin.roles import UserRoleForm, give
from accounts.models import Membership, Organization, UserRole
from accounts.services.recovery import second_factors_reset_by_admin
from accounts.services.tenancy import refuse_unprotected
from core.admin import TenantAdmin, TenantTabularInline
from core.admin_actions import confirmed
from core.errors import DomainError


@admin.register(Organization)
class OrganizationAdmin(TenantAdmin):
    """The organization one works for: a list of one."""

    list_display = ["name", "legal_name", "base_currency", "timezone", "status"]
    readonly_fields = ["slug", "costing_method", "status"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """How much an organization may ask is for platform staff to say."""
        staff = getattr(request.user, "is_superuser", False)
        return [*super().get_readonly_fields(request, obj), *([] if staff else ["rate_per_minute"])]

    def save_model(self, request: Any, obj: Any, form: Any, change: bool) -> None:
        refuse_unprotected(required=form.cleaned_data.get("require_mfa", False), principal=request.principal)
        super().save_model(request, obj, form, change)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class UserRoleInline(TenantTabularInline):
    model = UserRole
    form = UserRoleForm


@admin.register(Membership)
class MembershipAdmin(TenantAdmin):
    """Members join by invitation; here their status and their roles change. People are seen through memberships alone."""

    list_display = ["user", "picture", "email", "status", "is_default", "joined_at"]
    list_filter = ["status"]
    list_select_related = ["user"]
    search_keys = ("user__email",)
    readonly_fields = ["user", "email", "is_default", "joined_at", "activity"]
    fields = ["user", "email", "status", "is_default", "joined_at", "activity"]
    inlines = [UserRoleInline]
    actions_detail = ["reset_second_factor"]

    @action(description="Reset second factor", url_path="reset-second-factor", permissions=["reset_second_factor"])
    @confirmed("Remove all second factors of this member? They sign in by password alone then, until they enrol again.")
    def reset_second_factor(self, request: HttpRequest, object_id: str) -> HttpResponse:
        membership = self.get_object(request, object_id)
        if membership is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        admin: Any = request.user
        try:
            second_factors_reset_by_admin(membership=membership, admin=admin)
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            self.message_user(request, f"{membership} has no second factor any more.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:accounts_membership_change", args=[membership.pk]))

    def has_reset_second_factor_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        principal: Any = getattr(request, "principal", None)
        return bool(request.user.has_perm("accounts.change_membership")) and not (principal and principal.acting)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for row in formset.save(commit=False):
            give(request, row)
        super().save_formset(request, form, formset, change)

    @admin.display(description="picture")
    def picture(self, membership: Membership) -> SafeString | str:
        if not membership.user.avatar:
            return ""
        return format_html('<img class="member-picture" src="{}" alt="">', reverse("avatar", args=[membership.user_id]))

    @admin.display(description="e-mail address")
    def email(self, membership: Membership) -> str:
        return membership.user.email

    @admin.display(description="activity")
    def activity(self, membership: Membership) -> SafeString:
        trail = reverse("admin:accounts_auditentry_changelist", query={"actor_id": membership.user_id})
        return format_html('<a class="text-important" href="{}">What this person did</a>', trail)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
