from django.contrib import admin

from core.admin import TenantAdmin, TenantTabularInline
from inventory.admin.value_links import ValueLink
from inventory.models import Category, Product, ProductVariant, UnitOfMeasure


@admin.register(UnitOfMeasure)
class UnitOfMeasureAdmin(TenantAdmin):
    list_display = ["code", "name", "dimension"]
    search_keys = ["code"]


@admin.register(Category)
class CategoryAdmin(TenantAdmin):
    list_display = ["name", "parent"]
    search_keys = ["name_key"]


class VariantInline(TenantTabularInline):
    model = ProductVariant
    fields = ["sku", "name", "standard_cost"]


@admin.register(Product)
class ProductAdmin(TenantAdmin):
    list_display = ["name", "category", "status"]
    list_filter = ["status"]
    search_keys = ["name_key"]
    inlines = [VariantInline]


@admin.register(ProductVariant)
class ProductVariantAdmin(ValueLink, TenantAdmin):
    list_display = ["sku", "name", "product", "standard_cost"]
    search_keys = ["sku_key", "name_key"]
    actions_detail = ["value"]
