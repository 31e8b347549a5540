import logging
from typing import Any

from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from accounts.models import Organization
from core.admin import ReadOnlyTenantAdmin
from core.admin_actions import confirmed
from core.tenancy import active_organization_id
from notifications.models import Schedule, ScheduleRun
from notifications.services.schedules import schedule_ask, schedule_switch

logger = logging.getLogger("notifications.schedules")


def own_zone(zone: str, is_per_zone: str) -> Q:
    """Which zones there are tells of other organizations."""
    name = Organization.objects.values("timezone").filter(pk=active_organization_id())
    return Q(**{is_per_zone: False}) | Q(**{f"{zone}__in": name})


@admin.register(Schedule)
class ScheduleAdmin(ReadOnlyTenantAdmin):
    """Of the whole installation. Platform staff switch it, and let it run now."""

    exportable = False
    list_display = ["task", "timezone", "expression", "enabled", "last_tick", "last_status", "next_run_at", "missed"]
    search_keys = ["task"]
    in_palette = False
    actions_detail = ["switch", "run_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        found: QuerySet = super().get_queryset(request)
        staff = getattr(request.user, "is_superuser", False)
        return found if staff else found.filter(own_zone("timezone", "is_per_zone"))

    @action(description="Switch on or off", url_path="switch", permissions=["operate"])
    @confirmed("Switch this schedule? Switched off it does not run, and what comes meanwhile is not made up for.")
    def switch(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(schedule: Schedule) -> str:
            on = not schedule.enabled
            schedule_switch(schedule_id=schedule.pk, expression=schedule.expression, zone=schedule.timezone, enabled=on)
            return f"{schedule} is switched {'on' if on else 'off'}."

        return self._acted(request, object_id, act)

    @action(description="Run now", url_path="run-now", permissions=["operate"])
    @confirmed("Run this schedule now, beside its times?")
    def run_now(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def act(schedule: Schedule) -> str:
            if schedule_ask(schedule_id=schedule.pk):
                return f"{schedule} runs when a worker comes by."
            return f"{schedule} is asked for already, or not declared any more."

        return self._acted(request, object_id, act)

    def has_operate_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(getattr(request.user, "is_superuser", False))

    def _acted(self, request: HttpRequest, object_id: str, act: Any) -> HttpResponse:
        schedule = self.get_object(request, object_id)
        if schedule is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        done = act(schedule)
        logger.warning("Schedules, by %s: %s", request.user.pk, done)  # no organization's trail has it
        self.message_user(request, done, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:notifications_schedule_change", args=[schedule.pk]))


@admin.register(ScheduleRun)
class ScheduleRunAdmin(ReadOnlyTenantAdmin):
    exportable = False
    list_display = ["tick", "schedule", "started_at", "took", "outcome", "attempts", "error"]
    list_filter = ["outcome"]
    list_select_related = ["schedule"]

    @admin.display(description="took")
    def took(self, run: ScheduleRun) -> str:
        return "" if run.duration is None else f"{run.duration.total_seconds():.1f} s"

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        found: QuerySet = super().get_queryset(request)
        staff = getattr(request.user, "is_superuser", False)
        return found if staff else found.filter(own_zone("schedule__timezone", "schedule__is_per_zone"))
