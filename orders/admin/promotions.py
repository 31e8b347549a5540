from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import ReadOnlyTenantAdmin, TenantAdmin, TenantTabularInline, plainly
from orders.models import Promotion, PromotionGoods, PromotionUse


class GoodsInline(TenantTabularInline):
    """What it is for: variants, and categories with all below them; without any, all goods."""

    model = PromotionGoods
    tab = False
    verbose_name, verbose_name_plural = "goods", "what it is for (nothing here: all goods)"
    fields = ("variant", "category")


@admin.register(Promotion)
class PromotionAdmin(TenantAdmin):
    """What is taken off orders, for a code or by itself."""

    list_display = ["name", "code", "effect", "used_count", "max_uses", "starts_at", "ends_at", "is_active"]
    list_filter = ["effect", "is_active"]
    search_keys = ["code_key", "name_key"]
    fieldsets = [
        (None, {"fields": ["name", "code", "is_active", "used_count"]}),
        ("What it takes off", {"fields": [
            "effect", "percent", "amount", "currency", "buy_quantity", "free_quantity", "shipping_method",
        ]}),
        ("When it counts", {"fields": ["starts_at", "ends_at", "channel", "customer", "min_total"]}),
        ("Beside others, and how often", {"fields": ["is_stackable", "priority", "max_uses", "max_per_customer"]}),
    ]
    readonly_fields = ["used_count"]
    inlines = [GoodsInline]
    actions_detail = ["uses"]

    @action(description="Uses", url_path="uses", permissions=["uses"])
    def uses(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The orders that have it, and the carts that would."""
        address = reverse("admin:orders_promotionuse_changelist")
        return HttpResponseRedirect(f"{address}?promotion__id__exact={object_id}")

    def has_uses_permission(self, request: Any, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("orders.view_promotionuse"))


class PromotionUseInline(TenantTabularInline):
    """Of an order: what each promotion takes off, or why it does not."""

    model = PromotionUse
    tab = False
    can_delete = False
    verbose_name_plural = "promotions"
    fields = ("promotion", plainly(PromotionUse, "amount"), "why", "claimed_at", "released_at")
    readonly_fields = fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(PromotionUse)
class PromotionUseAdmin(ReadOnlyTenantAdmin):
    """Which orders have which promotions, and carts that would."""

    list_display = ["promotion", "order", "customer", "amount", "claimed_at", "released_at"]
    list_select_related = ["promotion", "order", "customer"]
    in_palette = False
