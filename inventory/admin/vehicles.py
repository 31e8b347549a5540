from django.contrib import admin

from core.admin import TenantAdmin
from inventory.models import Fitment, VehicleModel


@admin.register(VehicleModel)
class VehicleModelAdmin(TenantAdmin):
    list_display = ["make", "model", "year", "engine"]
    search_keys = ["model_key"]


@admin.register(Fitment)
class FitmentAdmin(TenantAdmin):
    list_display = ["variant", "vehicle_model", "position", "quantity_per_vehicle"]
