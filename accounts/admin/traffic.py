from django.contrib import admin

from accounts.models import IdempotencyRecord
from core.admin import ReadOnlyTenantAdmin


@admin.register(IdempotencyRecord)
class IdempotencyRecordAdmin(ReadOnlyTenantAdmin):
    """That a request was carried out, not what it was answered: that may be more than who looks may see."""

    exportable = False
    list_display = ["created_at", "principal", "status", "is_sealed", "expires_at"]
    fields = ("created_at", "principal", "status", "is_sealed", "expires_at")
    in_palette = False
