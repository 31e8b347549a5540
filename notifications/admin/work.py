from django.contrib import admin

from core.admin import ReadOnlyTenantAdmin
from notifications.models import Job, Schedule, ScheduleRun


@admin.register(Job)
class JobAdmin(ReadOnlyTenantAdmin):
    list_display = ["created_at", "task", "status", "attempts", "started_at", "finished_at", "error"]
    list_filter = ["status"]
    search_keys = ["task"]


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyTenantAdmin):
    """Of the whole installation."""

    list_display = ["task", "expression", "enabled", "last_tick", "last_status", "next_run_at"]
    search_keys = ["task"]


@admin.register(ScheduleRun)
class ScheduleRunAdmin(ReadOnlyTenantAdmin):
    list_display = ["tick", "schedule", "started_at", "ended_at", "outcome", "error"]
