from django.contrib import admin

from core.admin import TenantAdmin
from inventory.models import Supplier, SupplierProduct


@admin.register(Supplier)
class SupplierAdmin(TenantAdmin):
    list_display = ["code", "party", "currency", "lead_time_days", "status"]
    search_keys = ["code_key"]


@admin.register(SupplierProduct)
class SupplierProductAdmin(TenantAdmin):
    list_display = ["supplier", "supplier_sku", "variant", "order_multiple", "is_preferred"]
    search_keys = ["supplier_sku"]
