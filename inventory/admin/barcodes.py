from django.contrib import admin

from core.admin import TenantAdmin, TenantTabularInline
from inventory.models import ProductBarcode


@admin.register(ProductBarcode)
class ProductBarcodeAdmin(TenantAdmin):
    list_display = ["value", "symbology", "variant", "quantity"]
    list_filter = ["symbology"]
    search_keys = ["value_key"]


class BarcodeInline(TenantTabularInline):
    model = ProductBarcode
    fields = ["symbology", "value", "quantity"]
