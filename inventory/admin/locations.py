from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin import TenantAdmin
from inventory.admin.labels import LabelledAdmin
from inventory.models import Location, Warehouse
from inventory.services.locations import location_change


@admin.register(Warehouse)
class WarehouseAdmin(TenantAdmin):
    list_display = ["code", "name", "kind", "is_active"]
    search_keys = ["code_key"]


@admin.register(Location)
class LocationAdmin(LabelledAdmin):
    list_display = ["code", "warehouse", "kind", "pick_sequence"]
    label_of = "location"
    search_keys = ["code_key"]

    def save_model(self, request: HttpRequest, obj: Location, form: Any, change: bool) -> None:
        if change:
            location_change(location=Location.objects.get(pk=obj.pk), kind=obj.kind, warehouse_id=obj.warehouse_id)
        super().save_model(request, obj, form, change)
