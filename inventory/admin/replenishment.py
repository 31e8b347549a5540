from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.admin_actions import confirmed
from core.errors import DomainError
from core.limits import reach
from inventory.models import ReorderRule, ReorderTask
from inventory.services.replenishment import reorder_check, reorder_rules_settle, task_dismiss


@admin.register(ReorderRule)
class ReorderRuleAdmin(TenantAdmin):
    list_display = ["variant", "warehouse", "vehicle_model", "basis", "min_quantity", "level", "is_low", "is_active"]
    list_filter = ["basis", "is_low", "is_active"]
    readonly_fields = ["level", "is_low"]

    def save_model(self, request: HttpRequest, obj: ReorderRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        reorder_rules_settle(rules=[obj.pk])


@admin.register(ReorderTask)
class ReorderTaskAdmin(ReadOnlyTenantAdmin):
    list_display = [
        "variant", "warehouse", "supplier", "triggered_quantity", "threshold", "suggested_quantity", "status", "created_at",
    ]
    list_filter = ["status"]
    actions = ["dismiss"]
    actions_list = ["check_now"]

    @admin.action(description="Dismiss the selected tasks", permissions=["dismiss"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet) -> None:
        self.refuse_outside(request, queryset, "change")
        done = 0
        for task_id in queryset.values_list("pk", flat=True):
            try:
                task_dismiss(task_id=task_id)
                done += 1
            except DomainError as error:
                self.message_user(request, error.detail, messages.WARNING)
        self.message_user(request, f"{done} dismissed.", messages.SUCCESS)

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("inventory.change_reordertask"))

    @action(description="Check now", url_path="check", permissions=["check_now"])
    @confirmed("Make a task for each rule whose stock is at or under its minimum?")
    def check_now(self, request: Any) -> HttpResponse:
        created = reorder_check(warehouses=reach(request.principal, "inventory.run_reorder_check"))
        self.message_user(request, f"The check made {created} new tasks.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:inventory_reordertask_changelist"))

    def has_check_now_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("inventory.run_reorder_check"))
