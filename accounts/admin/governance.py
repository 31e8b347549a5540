import json
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from accounts.models import AuditEntry, Impersonation
from core.admin import ReadOnlyTenantAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyTenantAdmin):
    """Found by the id of a row, of a person or of a request."""

    list_display = ["created_at", "table_name", "action", "changed", "reason", "request_id"]
    list_filter = ["action"]
    search_keys = ("request_id",)
    search_help_text = "Id of a request"
    in_palette = False
    fields = (
        "created_at", "table_name", "row_id", "action", "before_and_after", "actor_id", "impersonator_id", "api_key_id",
        "request_id", "reason", "ip",
    )

    @admin.display(description="changed")
    def changed(self, entry: AuditEntry) -> str:
        return Truncator(", ".join(sorted(entry.changes))).chars(80)

    @admin.display(description="changes: [before, after]")
    def before_and_after(self, entry: AuditEntry) -> SafeString:
        return format_html("<pre>{}</pre>", json.dumps(entry.changes, indent=2, ensure_ascii=False))

    def lookup_allowed(self, lookup: str, value: Any, request: Any = None) -> bool:
        return lookup in ("row_id", "actor_id", "request_id") or super().lookup_allowed(lookup, value, request)


@admin.register(Impersonation)
class ImpersonationAdmin(ReadOnlyTenantAdmin):
    """When platform staff acted for a member, and why."""

    list_display = ["created_at", "staff", "member", "reason", "expires_at", "ended_at"]
    list_select_related = ["impersonator", "membership__user"]
    ordering = ("-id",)
    in_palette = False
    fields = ("created_at", "staff", "member", "reason", "expires_at", "ended_at")

    @admin.display(description="platform staff")
    def staff(self, impersonation: Impersonation) -> str:
        return str(impersonation.impersonator)

    @admin.display(description="member")
    def member(self, impersonation: Impersonation) -> str:
        return str(impersonation.membership)
