from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.db import models
from django.http import HttpRequest

from core.admin import TenantAdmin, TenantTabularInline
from core.limits import reach
from inventory.admin.assemblies import BomLineInline
from inventory.admin.attributes import AttributeValueInline, ProductAttributeValueInline
from inventory.admin.barcodes import BarcodeInline
from inventory.admin.clerk.card import card_url, summary
from inventory.admin.clerk.pages import SEE
from inventory.admin.fitment import VehiclesOfPart
from inventory.admin.labels import LabelledAdmin
from inventory.admin.relations import RelatedInline, RelationInline
from inventory.admin.value_links import ValueLink
from inventory.models import Category, Product, ProductVariant, StockItem, UnitOfMeasure
from inventory.queries.catalog import Path
from inventory.queries.search import product_search, variant_search
from inventory.queries.stock_card import stock_of


@admin.register(UnitOfMeasure)
class UnitOfMeasureAdmin(TenantAdmin):
    list_display = ["code", "name", "symbol", "dimension", "factor", "divisor"]
    list_filter = ["dimension"]
    search_keys = ["code"]


@admin.register(Category)
class CategoryAdmin(TenantAdmin):
    """A branch is moved by giving it another parent."""

    list_display = ["name", "path"]
    search_keys = ["name_key"]
    readonly_fields = ["path"]

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        return super().get_queryset(request).annotate(path_from_root=Path())  # type: ignore[no-any-return]

    @admin.display(description="path")
    def path(self, row: Any) -> str:
        return str(row.path_from_root)


class VariantInline(TenantTabularInline):
    model = ProductVariant
    fields = ["sku", "name", "standard_cost"]


@admin.register(Product)
class ProductAdmin(TenantAdmin):
    list_display = ["name", "category", "status"]
    list_filter = ["status"]
    search_keys = ["name_key"]
    searcher = staticmethod(product_search)
    inlines = [VariantInline, ProductAttributeValueInline]


class StockFilter(admin.SimpleListFilter):
    """Of the warehouses that one may see. A kit is put together when it is wanted: it is never out of stock."""

    title = "stock"
    parameter_name = "stock"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("some", "In stock"), ("none", "Out of stock")] if request.user.has_perm(SEE) else []

    def queryset(self, request: Any, queryset: models.QuerySet) -> models.QuerySet:
        if self.value() not in ("some", "none"):
            return queryset
        items = StockItem.objects.filter(variant=models.OuterRef("pk"), quantity__gt=0)
        if (seen := reach(request.principal, SEE)) is not None:
            items = items.filter(warehouse__in=seen)
        if self.value() == "some":
            return queryset.filter(models.Exists(items))
        return queryset.filter(~models.Exists(items), is_kit=False)


@admin.register(ProductVariant)
class ProductVariantAdmin(VehiclesOfPart, LabelledAdmin, ValueLink):
    actions_detail = ["vehicles", "set_vehicles", "value"]
    list_display = ["sku", "name", "product", "standard_cost", "is_kit"]
    list_filter = [StockFilter, "is_kit", "sold_by_components"]
    search_keys = ["sku_key", "name_key"]
    searcher = staticmethod(variant_search)
    inlines = [BarcodeInline, AttributeValueInline, BomLineInline, RelationInline, RelatedInline]

    def palette_cards(self, request: Any, rows: Sequence[ProductVariant]) -> dict[Any, tuple[str, str]]:
        if not rows or not request.user.has_perm(SEE):
            return {}
        stock = stock_of([row.pk for row in rows], warehouses=reach(request.principal, SEE), most=3)
        return {row.pk: (card_url(row.pk), summary(stock[row.pk])) for row in rows}
