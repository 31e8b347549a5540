from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import TenantTabularInline, plainly
from core.admin_actions import confirmed
from core.admin_forms import TenantModelForm, changed_columns
from core.errors import DomainError
from core.limits import reach
from orders.admin.documents import DocumentAdmin, partner
from orders.admin.invoice_pages import invoice_page
from orders.admin.payments import PaymentInline
from orders.admin.promotion_pages import code_page
from orders.admin.promotions import PromotionUseInline
from orders.machines import SALES_ORDERS
from orders.models import Invoice, OrderAdjustment, PickList, SalesOrder, SalesOrderItem
from orders.services.amending import COLUMNS, OPEN
from orders.services.fulfilment import sales_order_complete, sales_order_deliver, sales_order_pack, sales_order_ship
from orders.services.pick_lists import pick_list_create
from orders.services.sales_orders import (
    NewAdjustment,
    NewLine,
    sales_order_cancel,
    sales_order_change,
    sales_order_confirm,
    sales_order_create,
    sales_order_hold,
    sales_order_place,
    sales_order_release,
)
from orders.services.splitting import sales_order_split

Status = SalesOrder.Status
WRITTEN = ("channel", "customer", "warehouse", "currency", "email", "shipping_method", "requested_on", "note", "external_ref")


def is_draft(obj: Any) -> bool:
    return obj is None or obj.status == Status.DRAFT


def is_written(obj: Any) -> bool:
    return is_draft(obj) or obj.status in OPEN


class StuckFilter(admin.SimpleListFilter):
    title = "stuck"
    parameter_name = "stuck"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Stuck")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.filter(stuck_at__isnull=False) if self.value() == "yes" else queryset


class CartInline(TenantTabularInline):
    """Written until the order is packed, and looked at from then on."""

    tab = False
    extra = 1
    looked_at: tuple[Any, ...] = ()

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if is_written(obj) else self.looked_at

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if is_written(obj) else self.looked_at

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_written(obj) and bool(super().has_add_permission(request, obj))  # type: ignore[call-arg]  # an inline's takes it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_written(obj) and bool(super().has_delete_permission(request, obj))


class LineForm(TenantModelForm):
    """Without a price, what the price lists say."""

    unit_price = forms.DecimalField(
        required=False, min_value=0, max_digits=19, decimal_places=6, label="Agreed price",
        help_text="Empty: by the price lists.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and not self.instance.price_agreed:
            self.initial["unit_price"] = None


class LineInline(CartInline):
    model = SalesOrderItem
    form = LineForm
    fields = ("variant", "quantity", "unit_price", "discount", "backorder_policy")
    looked_at = (
        "sku", "name", plainly(SalesOrderItem, "quantity"), plainly(SalesOrderItem, "unit_price"),
        plainly(SalesOrderItem, "net_amount"), plainly(SalesOrderItem, "tax_amount"),
        plainly(SalesOrderItem, "allocated_quantity"), plainly(SalesOrderItem, "picked_quantity"),
        plainly(SalesOrderItem, "shipped_quantity"), plainly(SalesOrderItem, "cancelled_quantity"),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """What is sold; the components of kits follow it."""
        return super().get_queryset(request).filter(kit=None)


class ComponentInline(CartInline):
    """What of kits is taken from the stock. Nobody writes it here."""

    model = SalesOrderItem
    extra = 0
    verbose_name, verbose_name_plural = "component", "Components of kits"
    looked_at = (
        "kit", "sku", "name", *(
            plainly(SalesOrderItem, f"{name}quantity") for name in ("", "allocated_", "picked_", "shipped_", "cancelled_")
        ),
    )

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.looked_at

    get_readonly_fields = get_fields

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).exclude(kit=None).select_related("kit").order_by("kit__line", "line")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AdjustmentInline(CartInline):
    model = OrderAdjustment
    extra = 0
    fields = ("kind", "label", "net_amount", "tax_rate")
    looked_at = (
        "kind", "label", plainly(OrderAdjustment, "net_amount"), plainly(OrderAdjustment, "tax_rate"),
        plainly(OrderAdjustment, "tax_amount"),
    )

    def get_queryset(self, request: HttpRequest) -> Any:
        """Those that people write; a promotion's or a delivery service's own are theirs."""
        return super().get_queryset(request).filter(source_type="")


TOTALS: list[Any] = [
    *(plainly(SalesOrder, name) for name in (
        "net_total", "tax_total", "total", "paid_total", "refunded_total", "credited_total",
    )), "open_total",
]


@admin.register(SalesOrder)
class SalesOrderAdmin(DocumentAdmin):
    """Carts and orders. What may be done next stands above; the timeline tells what was."""

    machine = SALES_ORDERS
    list_display = ["number", "status", "channel", partner("customer"), "total", "currency", "payment_status", "placed_at"]
    list_select_related = ["customer__party"]
    list_filter = ["status", "channel", StuckFilter]
    search_keys = ["number_key"]
    fields = [
        "number", "status", "channel", "customer", "warehouse", "currency", "email", "shipping_method", "requested_on", "note",
        "external_ref", *TOTALS, "payment_status", "fulfilment_status", "placed_at", "shipped_at", "delivered_at", "closed_at",
        "moved_at", "stuck_at",
    ]
    readonly_fields = [
        "number", "status", *TOTALS, "payment_status", "fulfilment_status", "placed_at", "shipped_at", "delivered_at",
        "closed_at", "moved_at", "stuck_at",
    ]
    inlines = [LineInline, AdjustmentInline, PromotionUseInline, PaymentInline]
    actions = ["pick_list"]
    actions_detail = [
        "place", "confirm", "split", "pick", "pack", "ship", "deliver", "complete", "hold", "release", "cancel", "code",
        "invoice", "invoices",
    ]

    @admin.display(description="Open")
    def open_total(self, row: SalesOrder) -> str:
        """What is to be paid yet; what the customer is to get back is below zero."""
        left = row.total - row.credited_total if row.status not in (Status.DRAFT, Status.CANCELLED) else Decimal(0)
        return f"{(left - row.paid_total + row.refunded_total).normalize():f}"

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        if not obj:
            return [LineInline, AdjustmentInline]
        has_kits = not is_draft(obj) and obj.lines.filter(sold_by_components=True).exists()
        return [LineInline, ComponentInline, *self.inlines[1:]] if has_kits else self.inlines

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        if is_draft(obj):
            return fixed
        return [*fixed, *(name for name in WRITTEN if not {name, f"{name}_id"} & COLUMNS or not is_written(obj))]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: SalesOrder, form: Any, change: bool) -> None:
        if change:
            fields: list[Any] = [obj._meta.get_field(name) for name in changed_columns(obj, form.changed_data)]
            made = obj
            if fields:
                made = sales_order_change(order=obj, **{one.attname: getattr(obj, one.attname) for one in fields})
        else:
            made = sales_order_create(**{name: form.cleaned_data[name] for name in WRITTEN})
        obj.__dict__.update(made.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """All lines at once, as the API writes them."""
        has_changed = formset.has_changed()
        kept = [one.cleaned_data for one in formset.forms if one.cleaned_data and not one.cleaned_data.get("DELETE")]
        formset.save(commit=False)  # which fills what the page tells of it
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        if not has_changed:
            return
        if formset.model is SalesOrderItem:
            sales_order_change(order=form.instance, lines=[_line(one) for one in kept if one.get("variant")])
        else:
            sales_order_change(order=form.instance, adjustments=[
                NewAdjustment(one["kind"], one["label"], one["net_amount"], one["tax_rate"]) for one in kept if one.get("kind")
            ])

    @admin.action(description="Make a pick list of the selected orders", permissions=["pick_list"])
    def pick_list(self, request: HttpRequest, queryset: QuerySet) -> HttpResponse | None:
        self.refuse_outside(request, queryset, "", "orders.add_picklist")
        try:
            with transaction.atomic():
                made = pick_list_create(orders=list(queryset.values_list("pk", flat=True)))
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return None
        return HttpResponseRedirect(reverse("admin:orders_picklist_change", args=[made.pk]))

    def has_pick_list_permission(self, request: Any) -> bool:
        return bool(request.user.has_perm("orders.add_picklist"))

    @action(description="Place", url_path="place", permissions=["place"])
    @confirmed("Place this order? Its goods are reserved, and its lines stay as they are.")
    def place(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "place", sales_order_place)

    @action(description="Confirm", url_path="confirm", permissions=["confirm"])
    @confirmed("Confirm this order? It is to be fulfilled, and its goods are kept for it.")
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "confirm", sales_order_confirm)

    @action(description="Split", url_path="split", permissions=["split"])
    @confirmed("Split this order? What waits for goods becomes an order of its own, so that the rest can go now.")
    def split(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "split", sales_order_split)

    @action(description="Pick", url_path="pick", permissions=["pick"])
    @confirmed("Go round for this order? A pick list is made of what is reserved for it, unless it is on one.")
    def pick(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_pick_permission(request, row.pk):
            raise PermissionDenied
        try:
            with transaction.atomic():
                found = PickList.objects.filter(lines__order_item__order=row, lines__is_open=True).first()
                made = found or pick_list_create(orders=[row.pk])
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return HttpResponseRedirect(reverse("admin:orders_salesorder_change", args=[row.pk]))
        return HttpResponseRedirect(reverse("admin:pick", args=[made.pk]))

    def has_pick_permission(self, request: Any, object_id: Any = None) -> bool:
        may = bool(request.user.has_perm("orders.add_picklist"))
        if not may or object_id is None:
            return may
        where = reach(request.principal, "orders.add_picklist")
        row = SalesOrder.objects.filter(pk=object_id, status__in=SalesOrder.UNDER_WAY).first()
        return row is not None and (where is None or row.warehouse_id in where)

    @action(description="Packed", url_path="pack", permissions=["pack"])
    @confirmed("Are all goods of this order in their parcels?")
    def pack(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "pack", sales_order_pack)

    @action(description="Shipped", url_path="ship", permissions=["ship"])
    @confirmed("Have the parcels left? The goods leave the stock.")
    def ship(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "ship", sales_order_ship)

    @action(description="Delivered", url_path="deliver", permissions=["deliver"])
    @confirmed("Does the customer have the goods? They are told so by mail.")
    def deliver(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "deliver", sales_order_deliver)

    @action(description="Complete", url_path="complete", permissions=["complete"])
    @confirmed("Is nothing left to do for this order?")
    def complete(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "complete", sales_order_complete)

    @action(description="Hold", url_path="hold", permissions=["hold"])
    @confirmed("Hold this order? Nobody fulfils it until it is released. A note of the timeline may say why.")
    def hold(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "hold", sales_order_hold)

    @action(description="Release", url_path="release", permissions=["release"])
    @confirmed("Release this order? It goes on where it was held, or where it failed.")
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "release", sales_order_release)

    @action(description="Cancel", url_path="cancel", permissions=["cancel"])
    @confirmed("Cancel this order? What is not shipped is free again.")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "cancel", sales_order_cancel)

    @action(description="Invoice", url_path="invoice", permissions=["invoice"])
    def invoice(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_invoice_permission(request, row.pk):
            raise PermissionDenied
        return invoice_page(self, request, row)

    @action(description="Invoices", url_path="invoices", permissions=["invoices"])
    def invoices(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Those of this order, and its credit notes."""
        return HttpResponseRedirect(f"{reverse('admin:orders_invoice_changelist')}?order__id__exact={object_id}")

    @action(description="Promotion code", url_path="code", permissions=["code"])
    def code(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_code_permission(request, row.pk):
            raise PermissionDenied
        return code_page(self, request, row)

    def has_code_permission(self, request: Any, object_id: Any = None) -> bool:
        may = bool(request.user.has_perm("orders.change_salesorder"))
        if not may or object_id is None:
            return may
        where, row = reach(request.principal, "orders.change_salesorder"), SalesOrder.objects.filter(pk=object_id).first()
        return row is not None and is_draft(row) and (where is None or row.warehouse_id in where)

    def has_invoice_permission(self, request: Any, object_id: Any = None) -> bool:
        may = bool(request.user.has_perm("orders.add_invoice"))
        if not may or object_id is None:
            return may
        where, row = reach(request.principal, "orders.add_invoice"), SalesOrder.objects.filter(pk=object_id).first()
        return row is not None and not is_draft(row) and (where is None or row.warehouse_id in where)

    def has_invoices_permission(self, request: Any, object_id: Any = None) -> bool:
        may = bool(request.user.has_perm("orders.view_invoice"))
        return may and (object_id is None or Invoice.objects.filter(order=object_id).exists())


def _line(values: dict[str, Any]) -> NewLine:
    before = values.get("id")
    return NewLine(
        values["variant"].pk, values["quantity"], values["unit_price"], discount=values["discount"],
        backorder_policy=values["backorder_policy"], id=before and before.pk,
        includes_tax=bool(before and before.price_agreed and before.includes_tax),
        vehicle_model_id=before and before.vehicle_model_id,
    )
