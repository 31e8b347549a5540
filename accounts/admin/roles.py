
from django.contrib import admin

from accounts.models import ApiKey, Role, UserRole
from core.admin import TenantAdmin


@admin.register(Role)
class RoleAdmin(TenantAdmin):
    list_display = ["name", "code", "is_built_in"]
    ordering = ["code"]
    search_keys = ["code"]


@admin.register(UserRole)
class UserRoleAdmin(TenantAdmin):
    list_display = ["membership", "role", "expires_at"]
    list_select_related = ["membership__user"]


@admin.register(ApiKey)
class ApiKeyAdmin(TenantAdmin):
    list_display = ["name", "prefix", "expires_at", "revoked_at", "last_used_at"]
    ordering = ["name"]
