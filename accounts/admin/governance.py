
from django.contrib import admin
from django.utils.text import Truncator

from accounts.models import AuditEntry
from core.admin import ReadOnlyTenantAdmin


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyTenantAdmin):
    list_display = ["created_at", "table_name", "action", "changed", "reason", "request_id"]
    list_filter = ["action"]

    @admin.display(description="changed")
    def changed(self, entry: AuditEntry) -> str:
        return Truncator(", ".join(sorted(entry.changes))).chars(80)
