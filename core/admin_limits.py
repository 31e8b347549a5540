"""Permissions that count in some warehouses alone, in the admin."""

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db import models
from django.http import HttpRequest

from core.limits import OutsideWarehouses, Warehouses, paths, reach, within


class WithinWarehousesAdmin(ModelAdmin):
    """Rows of other warehouses are not there; those that one only sees are read-only."""

    def _permission(self, verb: str) -> str:
        return f"{self.opts.app_label}.{verb}_{self.opts.model_name}"

    def _reach(self, request: Any, verb: str) -> Warehouses:
        return reach(request.principal, self._permission(verb), self._permission("change"))

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).filter(within(self.model, self._reach(request, "view")))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self.is_within(request, obj, "change")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self.is_within(request, obj, "delete")

    def is_within(self, request: HttpRequest, obj: Any, verb: str) -> bool:
        warehouses = self._reach(request, verb)
        if obj is None or warehouses is None or not paths(self.model):
            return True
        return bool(self.model._default_manager.filter(within(self.model, warehouses), pk=obj.pk).exists())

    def refuse_outside(self, request: Any, rows: models.QuerySet, verb: str, permission: str = "") -> None:
        """Raises OutsideWarehouses if one of the rows stands where the permission does not count."""
        warehouses = reach(request.principal, permission or self._permission(verb))
        if warehouses is None or not paths(self.model):
            return
        if rows.exclude(pk__in=rows.filter(within(self.model, warehouses))).exists():
            raise OutsideWarehouses

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """After writing, when the row tells where it stands; the refusal undoes it."""
        super().save_related(request, form, formsets, change)
        written = self.model._default_manager.filter(pk=form.instance.pk)
        self.refuse_outside(request, written, "change" if change else "add")

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet) -> None:
        self.refuse_outside(request, queryset, "delete")
        super().delete_queryset(request, queryset)
