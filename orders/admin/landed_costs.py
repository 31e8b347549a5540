from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from core.admin import TenantTabularInline, plainly
from core.admin_actions import confirmed
from core.admin_forms import changed_columns
from orders.admin.documents import DocumentAdmin, partner
from orders.admin.landed_cost_pages import post_page, receipts_asked_for, reverse_page
from orders.machines import LANDED_COSTS
from orders.models import LandedCost, LandedCostReceipt
from orders.services.landed_cost_states import landed_cost_cancel
from orders.services.landed_costs import landed_cost_change, landed_cost_create

WRITTEN = ("warehouse", "kind", "by", "bill", "supplier", "supplier_number", "currency", "amount", "cost_on", "note")
AMOUNTS = [plainly(LandedCost, name) for name in ("exchange_rate", "base_amount", "to_stock", "to_sold")]


class ReceiptInline(TenantTabularInline):
    model = LandedCostReceipt
    fields = ("receipt",)
    tab = False

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return max(len(receipts_asked_for(request)), 1)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if _is_draft(obj) else self.fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and bool(super().has_add_permission(request, obj))  # type: ignore[call-arg]  # an inline's takes it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and bool(super().has_delete_permission(request, obj))


def _as_order(verb: Callable[..., LandedCost]) -> Callable[..., LandedCost]:
    def act(order: LandedCost) -> LandedCost:
        return verb(cost=order)

    return act


@admin.register(LandedCost)
class LandedCostAdmin(DocumentAdmin):
    """Freight, duty and the like of goods that came."""

    machine = LANDED_COSTS
    list_display = ["number", "kind", "status", "warehouse", partner("supplier"), "cost_on", "amount", "currency"]
    list_select_related = ["supplier__party"]
    list_filter = ["status", "kind", "warehouse"]
    search_keys = ["number_key"]
    readonly_fields = ["number", "status", *AMOUNTS, "posted_at", "reversed_at"]
    fields = ["number", "status", *WRITTEN, *readonly_fields[2:]]
    inlines = [ReceiptInline]
    actions_detail = ["book", "reverse", "cancel"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        if obj is None:
            return fixed
        return [*fixed, *(("bill",) if _is_draft(obj) else WRITTEN)]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_formset_kwargs(self, request: HttpRequest, obj: Any, inline: Any, prefix: str) -> dict[str, Any]:
        """Only for the page as it opens: a row that is sent as it was shown would be no change, and not be kept."""
        given: dict[str, Any] = super().get_formset_kwargs(request, obj, inline, prefix)
        if request.method == "GET" and (asked := receipts_asked_for(request)) and isinstance(inline, ReceiptInline):
            given["initial"] = [{"receipt": key} for key in asked]
        return given

    def save_model(self, request: HttpRequest, obj: LandedCost, form: Any, change: bool) -> None:
        if change:
            columns = changed_columns(obj, form.changed_data)
            made = landed_cost_change(cost=obj, **{name: getattr(obj, name) for name in columns}) if columns else obj
        else:
            made = landed_cost_create(**{name: form.cleaned_data[name] for name in WRITTEN})
        obj.__dict__.update(made.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """All receipts at once, as the API writes them."""
        has_changed = formset.has_changed()
        kept = [one for one in formset.forms if one.cleaned_data.get("receipt") and not one.cleaned_data.get("DELETE")]
        formset.save(commit=False)  # which fills what the page tells of it
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        if not has_changed:
            return
        landed_cost_change(cost=form.instance, receipts=[one.cleaned_data["receipt"].pk for one in kept])

    @action(description="Post", url_path="post", permissions=["post"])
    def book(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "post", lambda cost: post_page(self, request, cost))

    @action(description="Reverse", url_path="reverse", permissions=["reverse"])
    def reverse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "reverse", lambda cost: reverse_page(self, request, cost))

    @action(description="Cancel", url_path="cancel", permissions=["cancel"])
    @confirmed("Cancel this landed cost? It is not posted then.")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "cancel", _as_order(landed_cost_cancel))


def _is_draft(cost: LandedCost | None) -> bool:
    return cost is None or cost.status == LandedCost.Status.DRAFT
