from django.contrib import admin

from core.admin import ReadOnlyTenantAdmin
from notifications.models import Job


@admin.register(Job)
class JobAdmin(ReadOnlyTenantAdmin):
    list_display = ["created_at", "task", "status", "attempts", "started_at", "finished_at", "error"]
    list_filter = ["status"]
    search_keys = ["task"]
