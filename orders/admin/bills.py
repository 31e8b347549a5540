from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action

from core.admin import TenantTabularInline, plainly
from core.admin_actions import confirmed
from core.admin_forms import changed_columns
from orders.admin.bill_pages import reject_page, void_page
from orders.admin.documents import DocumentAdmin, partner
from orders.machines import SUPPLIER_BILLS
from orders.models import SupplierBill, SupplierBillItem
from orders.queries.bill_matching import matched
from orders.services.bill_states import supplier_bill_approve, supplier_bill_cancel, supplier_bill_submit
from orders.services.bills import BillLine, supplier_bill_change

WRITTEN = ("supplier_number", "billed_on", "due_on", "note")
AMOUNTS = ("quantity", "unit_price", "discount_percent", "tax_rate")


class LineInline(TenantTabularInline):
    model = SupplierBillItem
    tab = False

    billed = staticmethod(plainly(SupplierBillItem, "quantity"))

    @admin.display(description="Differs")
    def differs(self, item: SupplierBillItem) -> str:
        is_open = item.bill.status in SupplierBill.OPEN
        found = matched([item], {item.order_item_id: item.order_item})[item.pk] if is_open else item.variances
        return " ".join(one["detail"] for one in found) or "No"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("order_item").order_by("line")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["sku", "name", *(AMOUNTS if _is_draft(obj) else ("billed", *AMOUNTS[1:])), "net_amount", "differs"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = self.get_fields(request, obj)
        return [name for name in fields if name not in AMOUNTS] if _is_draft(obj) else fields

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and bool(super().has_delete_permission(request, obj))


@admin.register(SupplierBill)
class SupplierBillAdmin(DocumentAdmin):
    """What suppliers ask for. A bill is entered by the button on its purchase order."""

    machine = SUPPLIER_BILLS
    says_when_empty = "Open a purchase order that was sent, and press Enter a bill."
    list_display = ["supplier_number", partner("supplier"), "order", "status", "billed_on", "due_on", "total", "currency"]
    list_select_related = ["supplier__party"]
    list_filter = ["status", "supplier", "warehouse"]
    search_keys = ["number_key"]
    readonly_fields = [
        "status", "supplier", "order", "warehouse", "currency",
        *(plainly(SupplierBill, name) for name in ("net_total", "tax_total", "total")),
        "submitted_at", "decided_at", "decision_note", "approved_at",
    ]
    fields = ["supplier_number", *readonly_fields[:4], "billed_on", "due_on", "note", *readonly_fields[4:]]
    inlines = [LineInline]
    actions_detail = ["submit", "approve", "reject", "void", "cancel"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        return fixed if _is_draft(obj) else [*fixed, *WRITTEN]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SupplierBill, form: Any, change: bool) -> None:
        if columns := changed_columns(obj, form.changed_data):
            made = supplier_bill_change(bill=obj, **{name: getattr(obj, name) for name in columns})
            obj.__dict__.update(made.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """All lines at once, as the API writes them."""
        has_changed = formset.has_changed()
        kept = [one for one in formset.forms if not one.cleaned_data.get("DELETE")]
        formset.save(commit=False)  # which fills what the page tells of it
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        if not has_changed:
            return
        supplier_bill_change(bill=form.instance, lines=[_line(one) for one in kept])

    @action(description="Submit", url_path="submit", permissions=["submit"])
    @confirmed("Submit this bill? It is approved at once, or waits for somebody else where it differs from the order.")
    def submit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "submit", lambda order: supplier_bill_submit(bill=order))

    @action(description="Approve", url_path="approve", permissions=["approve"])
    @confirmed("Approve this bill with all in which it differs? The goods are revalued where their price is another.")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "approve", lambda order: supplier_bill_approve(bill=order))

    @action(description="Reject", url_path="reject", permissions=["reject"])
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "reject", lambda bill: reject_page(self, request, bill))

    @action(description="Void", url_path="void", permissions=["void"])
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "void", lambda bill: void_page(self, request, bill))

    @action(description="Cancel", url_path="cancel", permissions=["cancel"])
    @confirmed("Cancel this bill? It will not be paid.")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "cancel", lambda order: supplier_bill_cancel(bill=order))


def _is_draft(bill: SupplierBill | None) -> bool:
    return bill is None or bill.status == SupplierBill.Status.DRAFT


def _line(form: Any) -> BillLine:
    return BillLine(form.instance.order_item_id, *(form.cleaned_data[name] for name in AMOUNTS))
