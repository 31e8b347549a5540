from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode
from unfold.decorators import action

from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.admin_actions import confirmed
from core.errors import DomainError
from core.limits import reach
from inventory.admin.reorder_forms import AssignForm, DismissForm, PlainForm, SnoozeForm
from inventory.models import ReorderRule, ReorderTask
from inventory.queries.reorder_numbers import reorder_numbers
from inventory.services.reorder_tasks import tasks_assign, tasks_dismiss, tasks_reopen, tasks_snooze
from inventory.services.replenishment import reorder_check, reorder_rules_settle

CHANGE, ORDER = "inventory.change_reordertask", "inventory.order_reordertask"


@admin.register(ReorderRule)
class ReorderRuleAdmin(TenantAdmin):
    list_display = [
        "variant", "warehouse", "vehicle_model", "basis", "method", "min_quantity", "max_quantity", "level", "is_low",
        "is_active",
    ]
    list_filter = ["method", "basis", "is_low", "is_active"]
    readonly_fields = ["level", "is_low", "explanation"]
    actions_detail = ["numbers"]

    def save_model(self, request: HttpRequest, obj: ReorderRule, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        reorder_rules_settle(rules=[obj.pk])

    @action(description="Why", url_path="why")
    def numbers(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The numbers that the check looks at, as they are now."""
        rule = self.get_object(request, object_id)
        if rule is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/inventory/reorderrule/numbers.html", {
            **self.admin_site.each_context(request), "title": "Why", "subtitle": str(rule), "opts": self.opts, "rule": rule,
            "numbers": reorder_numbers([rule.pk])[rule.pk],
        })


@admin.register(ReorderTask)
class ReorderTaskAdmin(ReadOnlyTenantAdmin):
    says_when_empty = "Each hour tasks are made of what is low; Check now does so at once."
    list_display = [
        "variant", "warehouse", "supplier", "source_warehouse", "triggered_quantity", "threshold", "suggested_quantity", "status",
        "assignee", "due_on", "snoozed_until", "created_at",
    ]
    list_filter = ["status", "supplier", "source_warehouse", "assignee"]
    actions = ["order", "assign", "snooze", "dismiss", "reopen"]
    actions_list = ["reorder", "check_now"]

    @admin.action(description="Order the selected tasks", permissions=["order"])
    def order(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse:
        chosen = [str(key) for key in queryset.values_list("pk", flat=True)]
        return HttpResponseRedirect(f"{reverse('admin:reorder')}?{urlencode({'task': chosen}, doseq=True)}")

    @admin.action(description="Assign the selected tasks", permissions=["dismiss"])
    def assign(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._decide(request, queryset, "assign", AssignForm, lambda tasks, given: tasks_assign(
            tasks=tasks, assignee_id=given["assignee"] and given["assignee"].pk,
        ))

    @admin.action(description="Snooze the selected tasks", permissions=["dismiss"])
    def snooze(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._decide(request, queryset, "snooze", SnoozeForm, lambda tasks, given: tasks_snooze(tasks=tasks, **given))

    @admin.action(description="Dismiss the selected tasks", permissions=["dismiss"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._decide(request, queryset, "dismiss", DismissForm, lambda tasks, given: tasks_dismiss(tasks=tasks, **given))

    @admin.action(description="Reopen the selected tasks", permissions=["dismiss"])
    def reopen(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        return self._decide(request, queryset, "reopen", PlainForm, lambda tasks, given: tasks_reopen(tasks=tasks))

    def _decide(
        self, request: Any, queryset: QuerySet, name: str, form_class: Any, do: Callable[[list[Any], dict[str, Any]], None],
    ) -> HttpResponse | None:
        """Asks first what has to be known; all of the tasks or none."""
        self.refuse_outside(request, queryset, "change")
        tasks = list(queryset.select_related("variant", "warehouse").order_by("variant__sku"))
        form = form_class(request.POST if "confirmed" in request.POST else None)
        if form.is_bound and form.is_valid():
            try:
                with transaction.atomic():
                    do([task.pk for task in tasks], form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, f"{name.capitalize()}: {len(tasks)} done.", messages.SUCCESS)
                return None
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/inventory/reordertask/decide.html", {
            **self.admin_site.each_context(request), "title": f"{name.capitalize()} tasks", "opts": self.opts, "action": name,
            "tasks": tasks, "form": form, "media": self.media + form.media,
        })

    def has_dismiss_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(CHANGE))

    def has_order_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(ORDER))

    @action(description="Reorder", url_path="work", permissions=["order"])
    def reorder(self, request: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:reorder"))

    @action(description="Check now", url_path="check", permissions=["check_now"])
    @confirmed("Make a task for each rule whose stock is at or under its minimum?")
    def check_now(self, request: Any) -> HttpResponse:
        created = reorder_check(warehouses=reach(request.principal, "inventory.run_reorder_check"))
        self.message_user(request, f"The check made {created} new tasks.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:inventory_reordertask_changelist"))

    def has_check_now_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("inventory.run_reorder_check"))
