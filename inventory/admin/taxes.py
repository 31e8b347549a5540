from django.contrib import admin

from core.admin import TenantAdmin
from inventory.models import TaxCategory, TaxRate


@admin.register(TaxCategory)
class TaxCategoryAdmin(TenantAdmin):
    list_display = ["code", "name", "is_taxed"]
    search_keys = ["name_key"]
    in_palette = False


@admin.register(TaxRate)
class TaxRateAdmin(TenantAdmin):
    list_display = ["country", "region", "tax_category", "rate", "valid_from", "valid_to"]
    list_filter = ["tax_category"]
