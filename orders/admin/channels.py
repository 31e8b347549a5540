from django.contrib import admin

from core.admin import TenantAdmin
from orders.models import Channel, Customer


@admin.register(Channel)
class ChannelAdmin(TenantAdmin):
    """Where orders come from."""

    list_display = ["code", "name", "currency", "warehouse", "backorders", "is_active"]
    search_keys = ["code_key", "name_key"]


@admin.register(Customer)
class CustomerAdmin(TenantAdmin):
    """Parties that buy."""

    list_display = ["code", "party", "status", "credit_limit", "tax_exempt"]
    list_filter = ["status"]
    search_keys = ["code_key"]
