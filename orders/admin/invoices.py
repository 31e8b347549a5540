from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import TenantAdmin, TenantTabularInline, plainly
from core.admin_actions import confirmed
from core.admin_forms import changed_columns
from core.errors import DomainError
from core.limits import reach
from orders.admin.documents import DocumentAdmin, partner
from orders.admin.invoice_pages import credit_page
from orders.machines import INVOICES
from orders.models import Invoice, InvoiceItem, InvoiceLayout
from orders.services.invoice_papers import PDF, XML, filename_of, invoice_pdf, invoice_xml
from orders.services.invoices import invoice_change, invoice_delete, invoice_issue
from orders.services.payments import balance

ADD, VIEW = "orders.add_invoice", "orders.view_invoice"


class ItemInline(TenantTabularInline):
    model = InvoiceItem
    tab = False
    fields = readonly_fields = (
        "line", "sku", "name", *(plainly(InvoiceItem, name) for name in ("quantity", "unit_price", "discount", "tax_rate",
                                                                        "net_amount", "tax_amount")),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm(VIEW))


@admin.register(Invoice)
class InvoiceAdmin(DocumentAdmin):
    """Invoices and credit notes. A draft comes of the button on a sales order; what is issued stays as it is."""

    machine = INVOICES
    says_when_empty = "Open a sales order, and press Invoice: there it is drafted."
    list_display = ["number", "kind", "status", "order", partner("customer"), "total", "currency", "issued_on", "due_on"]
    list_select_related = ["customer__party"]
    list_filter = ["kind", "status"]
    search_keys = ["number_key"]
    readonly_fields = [
        "number", "kind", "status", "order", "corrects", "customer", "currency", "issued_on", "delivered_on",
        *(plainly(Invoice, name) for name in ("net_total", "tax_total", "rounding", "total")), "credited", "tax_summary", "kept",
    ]
    fields = [*readonly_fields[:8], "due_on", "note", *readonly_fields[8:]]
    inlines = [ItemInline]
    actions_detail = ["issue", "credit", "paper", "xml"]

    @admin.display(description="Tax by rate")
    def tax_summary(self, row: Invoice) -> str:
        return "; ".join(f"{tax['rate']} % of {tax['net']}: {tax['tax']}" for tax in row.taxes)

    @admin.display(description="Credited")
    def credited(self, row: Invoice) -> str:
        """What of an invoice credit notes have taken back; drafts have not yet."""
        notes = row.credit_notes.filter(status=Invoice.Status.ISSUED).order_by("counter")
        return ", ".join(f"{number}: {total.normalize():f}" for number, total in notes.values_list("number", "total")) or "-"

    @admin.display(description="Paper, SHA-256")
    def kept(self, row: Invoice) -> str:
        return ", ".join(row.files.values_list("sha256", flat=True)) or "Not made yet"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        return fixed if _is_draft(obj) else [*fixed, "due_on", "note"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_draft(obj) and bool(super().has_delete_permission(request, obj))

    def save_model(self, request: HttpRequest, obj: Invoice, form: Any, change: bool) -> None:
        if columns := changed_columns(obj, form.changed_data):
            made = invoice_change(invoice=obj, **{name: getattr(obj, name) for name in columns})
            obj.__dict__.update(made.__dict__)

    def delete_model(self, request: HttpRequest, obj: Invoice) -> None:
        invoice_delete(invoice=obj)

    def delete_queryset(self, request: HttpRequest, queryset: Any) -> None:
        self.refuse_outside(request, queryset, "delete")
        for row in queryset.order_by("pk"):
            invoice_delete(invoice=row)

    @action(description="Issue", url_path="issue", permissions=["issue"])
    @confirmed("Issue it? It gets its number, is sent to the order's address, and cannot be changed from then on.")
    def issue(self, request: HttpRequest, object_id: str) -> HttpResponse:
        answer = self.do(request, object_id, "issue", lambda order: invoice_issue(invoice=order))
        row = Invoice.objects.select_related("order").filter(pk=object_id, kind=Invoice.Kind.CREDIT_NOTE).first()
        if row is not None and row.status == Invoice.Status.ISSUED and (owed := -balance(row.order)) > 0:
            problem = f"The customer has paid {owed.normalize():f} {row.currency} more than {row.order} costs now"
            self.message_user(request, f"{problem}: give that back by its payments.", messages.WARNING)
        return answer

    @action(description="Credit", url_path="credit", permissions=["credit"])
    def credit(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._with(request, object_id, lambda row: credit_page(self, request, row), may=self.has_credit_permission)

    @action(description="PDF", url_path="pdf", permissions=["paper"])
    def paper(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._with(request, object_id, lambda row: _file(row, invoice_pdf(invoice=row), PDF, "pdf"))

    @action(description="XML", url_path="ubl", permissions=["xml"])
    def xml(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._with(request, object_id, lambda row: _file(row, invoice_xml(invoice=row), XML, "xml"))

    def has_credit_permission(self, request: Any, object_id: Any = None) -> bool:
        """Of an invoice that is issued, where the person may add invoices."""
        may = bool(request.user.has_perm(ADD))
        if not may or object_id is None:
            return may
        where = reach(request.principal, ADD)
        row = Invoice.objects.filter(pk=object_id, kind=Invoice.Kind.INVOICE, status=Invoice.Status.ISSUED).first()
        return row is not None and (where is None or row.warehouse_id in where)

    def has_paper_permission(self, request: Any, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(VIEW))

    def has_xml_permission(self, request: Any, object_id: Any = None) -> bool:
        may = bool(request.user.has_perm(VIEW))
        return may and (object_id is None or Invoice.objects.filter(pk=object_id, status=Invoice.Status.ISSUED).exists())

    def _with(self, request: Any, object_id: str, act: Any, may: Any = None) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not (may or self.has_paper_permission)(request, row.pk):
            raise PermissionDenied
        try:
            with transaction.atomic():
                answer: HttpResponse = act(row)
                return answer
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:orders_invoice_change", args=[row.pk]))


@admin.register(InvoiceLayout)
class InvoiceLayoutAdmin(TenantAdmin):
    """What stands on every invoice of a channel. A picture that is attached, the primary one, is the logo."""

    list_display = ["name", "channel", "payment_days", "iban"]
    search_keys = ["name_key"]


def _is_draft(row: Invoice | None) -> bool:
    return row is None or row.status == Invoice.Status.DRAFT


def _file(row: Invoice, content: bytes, content_type: str, ending: str) -> HttpResponse:
    name = filename_of(row, ending)
    return HttpResponse(content, content_type=content_type, headers={"Content-Disposition": f'inline; filename="{name}"'})
