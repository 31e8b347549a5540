from django.contrib import admin

from core.admin import TenantAdmin, TenantTabularInline
from inventory.admin.barcodes import BarcodeInline
from inventory.admin.labels import LabelledAdmin
from inventory.models import Category, Product, ProductVariant, UnitOfMeasure
from inventory.queries.search import product_search, variant_search


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
    searcher = staticmethod(product_search)
    inlines = [VariantInline]


@admin.register(ProductVariant)
class ProductVariantAdmin(LabelledAdmin):
    list_display = ["sku", "name", "product", "standard_cost"]
    search_keys = ["sku_key", "name_key"]
    searcher = staticmethod(variant_search)
    inlines = [BarcodeInline]
