from django.contrib import admin

from core.admin import TenantAdmin
from orders.models import ShippingMethod


@admin.register(ShippingMethod)
class ShippingMethodAdmin(TenantAdmin):
    """How goods may be sent, and what that costs."""

    list_display = ["code", "name", "carrier", "basis", "currency", "free_from", "is_active"]
    search_keys = ["code_key", "name_key"]
