from django.contrib import admin

from core.admin import ReadOnlyTenantAdmin
from notifications.models import OutboxEvent


@admin.register(OutboxEvent)
class OutboxEventAdmin(ReadOnlyTenantAdmin):
    list_display = ["occurred_at", "type", "aggregate_type", "aggregate_id", "relayed_at", "correlation_id"]
    search_keys = ["type"]
