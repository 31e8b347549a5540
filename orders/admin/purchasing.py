from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import TenantTabularInline, plainly
from core.admin_actions import confirmed
from core.admin_forms import changed_columns
from core.errors import DomainError
from core.limits import reach
from orders.admin.bill_pages import bill_page
from orders.admin.documents import DocumentAdmin, partner
from orders.admin.landed_cost_pages import ADD as ADD_LANDED_COST
from orders.admin.landed_cost_pages import landable, new_cost
from orders.admin.purchase_pages import CANCEL, RECEIVE, REVISE, SEND_BACK, goods_page, reject_page, send_page, withdraw_page
from orders.machines import PURCHASE_ORDERS
from orders.models import GoodsReceipt, PurchaseOrder, PurchaseOrderItem
from orders.services.bills import BILLABLE
from orders.services.invoice_papers import PDF
from orders.services.purchase_papers import purchase_filename, purchase_order_pdf
from orders.services.purchase_proposals import below_minimum, purchase_orders_from_tasks
from orders.services.purchase_states import (
    purchase_order_approve,
    purchase_order_close,
    purchase_order_submit,
)
from orders.services.purchasing import AGREED, PurchaseLine, purchase_order_change, purchase_order_create

ADD_BILL = "orders.add_supplierbill"
Status = PurchaseOrder.Status
WRITTEN = ("supplier", "warehouse", "currency", "expected_on", "supplier_reference", "note", "external_ref")


class LineInline(TenantTabularInline):
    model = PurchaseOrderItem
    fields = ("variant", "quantity", "unit_price", "discount_percent", "over_receipt_percent")
    tab = False
    extra = 1

    ordered = staticmethod(plainly(PurchaseOrderItem, "quantity"))
    received = staticmethod(plainly(PurchaseOrderItem, "received_quantity"))
    returned = staticmethod(plainly(PurchaseOrderItem, "returned_quantity"))
    rejected = staticmethod(plainly(PurchaseOrderItem, "rejected_quantity"))
    billed = staticmethod(plainly(PurchaseOrderItem, "billed_quantity"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if _is_draft(obj):
            return self.fields
        amounts = ["unit_price", "discount_percent", "net_amount"]
        return ["variant", "ordered", *amounts, "received", "returned", "rejected", "billed"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if _is_draft(obj) else self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and bool(super().has_add_permission(request, obj))  # type: ignore[call-arg]  # an inline's takes it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and bool(super().has_delete_permission(request, obj))


TOTALS = [plainly(PurchaseOrder, name) for name in ("net_total", "tax_total", "total")]


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(DocumentAdmin):
    """What suppliers are to bring."""

    machine = PURCHASE_ORDERS
    list_display = ["number", partner("supplier"), "warehouse", "status", "expected_on", "net_total", "currency"]
    list_select_related = ["supplier__party"]
    list_filter = ["status", "supplier", "warehouse"]
    search_keys = ["number_key"]
    readonly_fields = [
        "number", "status", "revision", *TOTALS, "decision_note", "submitted_at", "decided_at",
        "sent_at", "sent_by", "received_at", "closed_at",
    ]
    fields = ["number", "status", *WRITTEN, *readonly_fields[2:]]
    inlines = [LineInline]
    actions_list = ["from_tasks"]
    actions_detail = [
        "submit", "approve", "reject", "send", "receive", "scan_in", "bill", "land", "send_back", "revise", "close", "cancel",
        "paper",
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        if _is_draft(obj):
            return fixed
        return [*fixed, *(WRITTEN if obj.status in PurchaseOrder.OVER else WRITTEN[:3])]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PurchaseOrder, form: Any, change: bool) -> None:
        if change:
            columns = changed_columns(obj, form.changed_data)
            made = purchase_order_change(order=obj, **{name: getattr(obj, name) for name in columns}) if columns else obj
        else:
            made = purchase_order_create(**{name: form.cleaned_data[name] for name in WRITTEN})
        obj.__dict__.update(made.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """All lines at once, as the API writes them."""
        has_changed = formset.has_changed()
        kept = [one for one in formset.forms if one.cleaned_data.get("variant") and not one.cleaned_data.get("DELETE")]
        formset.save(commit=False)  # which fills what the page tells of it
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        if not has_changed:
            return
        purchase_order_change(order=form.instance, lines=[_line(one) for one in kept])

    @action(description="Buy what reorder tasks ask for", url_path="from-tasks", permissions=["from_tasks"])
    @confirmed("Make drafts out of all open reorder tasks that name a supplier? There is one for each supplier and warehouse.")
    def from_tasks(self, request: Any) -> HttpResponse:
        try:
            with transaction.atomic():
                made = purchase_orders_from_tasks(warehouses=reach(request.principal, "orders.add_purchaseorder"))
                missing = [(order, below_minimum(order)) for order in made]
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
        else:
            numbers = ", ".join(order.number for order in made)
            self.message_user(request, f"Made {len(made)} drafts: {numbers}.", messages.SUCCESS)
            for order, lack in missing:
                if lack:
                    detail = f"{order.number}: {order.supplier} takes an order for {lack.normalize():f} {order.currency} more."
                    self.message_user(request, detail, messages.WARNING)
        return HttpResponseRedirect(reverse("admin:orders_purchaseorder_changelist"))

    @action(description="Submit", url_path="submit", permissions=["submit"])
    @confirmed("Submit this purchase order? Over the organization's limit, somebody else has to approve it.")
    def submit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "submit", purchase_order_submit)

    @action(description="Approve", url_path="approve", permissions=["approve"])
    @confirmed("Approve this purchase order? It may be sent then.")
    def approve(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "approve", purchase_order_approve)

    @action(description="Reject", url_path="reject", permissions=["reject"])
    def reject(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "reject", lambda order: reject_page(self, request, order))

    @action(description="Send", url_path="send", permissions=["send"])
    def send(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "send", lambda order: send_page(self, request, order))

    @action(description="Receive", url_path="receive", permissions=["receive"])
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "receive", lambda order: goods_page(self, request, order, RECEIVE))

    @action(description="Receive by scanner", url_path="scan-in", permissions=["receive"])
    def scan_in(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:receive_order", args=[object_id]))

    @action(description="Enter a bill", url_path="bill", permissions=["enter_bill"])
    def bill(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        if not self.has_enter_bill_permission(request, row.pk):
            raise PermissionDenied
        return bill_page(self, request, row)

    def has_enter_bill_permission(self, request: Any, object_id: Any = None) -> bool:
        """Of an order that the supplier has, where the person may add bills."""
        may = bool(request.user.has_perm(ADD_BILL))
        if not may or object_id is None:
            return may
        where = reach(request.principal, ADD_BILL)
        row = PurchaseOrder.objects.filter(pk=object_id, status__in=BILLABLE).first()
        return row is not None and (where is None or row.warehouse_id in where)

    @action(description="Add a landed cost", url_path="landed-cost", permissions=["land"])
    def land(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return new_cost(request, GoodsReceipt.objects.filter(order=object_id))

    def has_land_permission(self, request: Any, object_id: Any = None) -> bool:
        """Of an order of which goods came."""
        if object_id is None:
            return bool(request.user.has_perm(ADD_LANDED_COST))
        return landable(request, GoodsReceipt.objects.filter(order=object_id)).exists()

    @action(description="Send goods back", url_path="send-back", permissions=["send_back"])
    def send_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "send_back", lambda order: goods_page(self, request, order, SEND_BACK))

    @action(description="Revise", url_path="revise", permissions=["revise"])
    def revise(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "revise", lambda order: withdraw_page(self, request, order, REVISE))

    @action(description="Close", url_path="close", permissions=["close"])
    @confirmed("Close this purchase order? Nothing more of it is waited for.")
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "close", purchase_order_close)

    @action(description="Cancel", url_path="cancel", permissions=["cancel"])
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "cancel", lambda order: withdraw_page(self, request, order, CANCEL))

    @action(description="PDF", url_path="pdf", permissions=["paper"])
    def paper(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_paper_permission(request):
            raise PermissionDenied
        return HttpResponse(purchase_order_pdf(order=row), content_type=PDF, headers={
            "Content-Disposition": f'inline; filename="{purchase_filename(row)}"',
        })

    def has_paper_permission(self, request: Any, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("orders.view_purchaseorder"))

    def has_from_tasks_permission(self, request: Any) -> bool:
        return bool(request.user.has_perm("orders.add_purchaseorder"))


def _is_draft(order: PurchaseOrder | None) -> bool:
    return order is None or order.status == Status.DRAFT


def _line(form: Any) -> PurchaseLine:
    """A price that nobody has touched is asked for again, unless it was agreed."""
    values, before = form.cleaned_data, form.instance
    is_listed = before.price_reason and before.price_reason != AGREED and "unit_price" not in form.changed_data
    return PurchaseLine(
        values["variant"].pk, values["quantity"], None if is_listed else values["unit_price"], values["discount_percent"],
        values["over_receipt_percent"], None if "variant" in form.changed_data else before.reorder_task_id,
    )
