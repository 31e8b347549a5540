from django.contrib import admin

from core.admin import TenantAdmin
from inventory.models import VehicleModel


@admin.register(VehicleModel)
class VehicleModelAdmin(TenantAdmin):
    list_display = ["make", "model", "year", "engine"]
    search_keys = ["model_key"]
