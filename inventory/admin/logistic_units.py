from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from core.admin import TenantAdmin
from inventory.models import LogisticUnit
from inventory.services.logistic_units import sscc_next


@admin.register(LogisticUnit)
class LogisticUnitAdmin(TenantAdmin):
    list_display = ["sscc", "kind", "location", "parent", "weight"]
    list_filter = ["kind"]
    search_keys = ["sscc"]

    def save_model(self, request: HttpRequest, obj: LogisticUnit, form: Any, change: bool) -> None:
        obj.sscc = obj.sscc or sscc_next()
        super().save_model(request, obj, form, change)
