from django.contrib import admin

from accounts.models import ExchangeRate
from core.admin import TenantAdmin


@admin.register(ExchangeRate)
class ExchangeRateAdmin(TenantAdmin):
    list_display = ["base", "quote", "valid_on", "rate"]
    sortable_by = ["base"]
