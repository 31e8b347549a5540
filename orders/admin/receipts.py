from django.contrib import admin

from core.admin import ReadOnlyTenantAdmin, TenantTabularInline, plainly
from orders.models import GoodsReceipt, GoodsReceiptItem


class ItemInline(TenantTabularInline):
    model = GoodsReceiptItem
    tab = False
    extra = 0
    can_delete = False

    taken_in = staticmethod(plainly(GoodsReceiptItem, "quantity"))
    rejected = staticmethod(plainly(GoodsReceiptItem, "rejected_quantity"))
    fields = ("variant", "lot", "location", "taken_in", "rejected", "rejected_because", "unit_cost")
    readonly_fields = fields


@admin.register(GoodsReceipt)
class GoodsReceiptAdmin(ReadOnlyTenantAdmin):
    """What came of purchase orders, and what went back."""

    list_display = ["number", "kind", "order", "warehouse", "delivery_note", "occurred_at"]
    list_filter = ["kind", "warehouse"]
    search_keys = ["number_key"]
    fields = ["number", "kind", "order", "warehouse", "delivery_note", "note", "occurred_at", "currency", "exchange_rate"]
    inlines = [ItemInline]
