from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from core.admin import TenantAdmin, TenantTabularInline, plainly
from core.admin_forms import changed_columns
from core.limits import reach, within
from inventory.admin.unit_pages import MOVE, MOVE_UNIT, PACK, PACK_UNIT, UNPACK, Verb, unit_page
from inventory.models import LogisticUnit, LogisticUnitContent
from inventory.services.logistic_units import unit_change, unit_create


class ContentInline(TenantTabularInline):
    """What is in the unit itself; packing and unpacking have pages of their own."""

    model = LogisticUnitContent
    verbose_name_plural = "packed in it"
    packed = staticmethod(plainly(LogisticUnitContent, "quantity"))
    fields = ("variant", "lot", "packed")
    readonly_fields = fields
    tab = False
    show_title = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(LogisticUnit)
class LogisticUnitAdmin(TenantAdmin):
    list_display = ["sscc", "kind", "location", "parent", "weight"]
    list_filter = ["kind"]
    search_keys = ["sscc"]
    inlines = [ContentInline]
    actions_detail = ["pack", "unpack", "move"]

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return self.inlines if obj else []

    def save_model(self, request: HttpRequest, obj: LogisticUnit, form: Any, change: bool) -> None:
        if change:
            changed = changed_columns(obj, form.changed_data)
            columns = [field.attname for field in self.opts.concrete_fields if field.name in changed]
            made = unit_change(unit_id=obj.pk, **{name: getattr(obj, name) for name in columns}) if columns else obj
        else:
            made = unit_create(unit=obj)
        obj.__dict__.update(made.__dict__)

    @action(description="Pack", url_path="pack", permissions=["pack"])
    def pack(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, object_id, self.has_pack_permission, PACK)

    @action(description="Unpack", url_path="unpack", permissions=["pack"])
    def unpack(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, object_id, self.has_pack_permission, UNPACK)

    @action(description="Move", url_path="move", permissions=["move"])
    def move(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, object_id, self.has_move_permission, MOVE_UNIT)

    def has_pack_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, PACK_UNIT)

    def has_move_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, MOVE)

    def _may(self, request: Any, object_id: Any, permission: str) -> bool:
        may = bool(request.user.has_perm(permission))
        if not may or object_id is None:
            return may
        reached = LogisticUnit.objects.filter(within(LogisticUnit, reach(request.principal, permission)))
        return bool(reached.filter(pk=object_id).exists())

    def _page(self, request: Any, object_id: str, may: Callable[..., bool], verb: Verb) -> HttpResponse:
        unit = self.get_object(request, object_id)
        if unit is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        if not may(request, unit.pk):
            raise PermissionDenied
        return unit_page(self, request, unit, verb)
