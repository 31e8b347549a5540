from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.errors import DomainError
from core.limits import reach, refuse_outside, within
from inventory.admin.value_links import ValueLink
from inventory.models import Location, ReasonCode, StockAdjustment, StockItem, StockMove
from inventory.services.adjustments import adjustment_post
from inventory.services.reversal import reversible, stock_reverse
from inventory.services.stock import Adjustment, Circumstances

ADJUST, REVERSE = "inventory.adjust_stock", "inventory.reverse_stockmove"


@admin.register(ReasonCode)
class ReasonCodeAdmin(TenantAdmin):
    list_display = ["kind", "code", "name", "requires_note", "takes_held", "approval_over_quantity", "approval_over_value"]
    search_keys = ["code"]


class AdjustForm(forms.Form):
    """A signed change, or the counted quantity. The token makes a form that is sent twice count once."""

    change = forms.DecimalField(
        required=False, max_digits=19, decimal_places=6, widget=UnfoldAdminDecimalFieldWidget,
        help_text="Signed: -2 takes two away.",
    )
    counted = forms.DecimalField(
        required=False, min_value=0, max_digits=19, decimal_places=6, widget=UnfoldAdminDecimalFieldWidget,
        help_text="Or: what is really there.",
    )
    reason = forms.ModelChoiceField(ReasonCode.objects.none(), widget=UnfoldAdminSelectWidget)
    note = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)
    expected = forms.DecimalField(widget=forms.HiddenInput)
    token = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].queryset = ReasonCode.objects.filter(kind=ReasonCode.Kind.ADJUSTMENT).order_by("code")  # type: ignore[attr-defined]

    def post(self, item: StockItem) -> str:
        """What became of it, in words. Raises DomainError."""
        values = self.cleaned_data
        counted: Decimal | None = values["counted"]
        adjustment = Adjustment(
            item.variant_id, item.location_id, change=values["change"], counted=counted,
            expected=values["expected"] if counted is not None else None, lot_id=item.lot_id,
        )
        done = adjustment_post(adjustments=[adjustment], circumstances=Circumstances(
            reason_id=values["reason"].pk, note=values["note"], idempotency_key=f"admin:{values['token']}",
        ))
        waits = isinstance(done, StockAdjustment)
        return "The adjustment is over the limit of its reason, and waits for approval." if waits else "The adjustment is posted."


class ReverseForm(forms.Form):
    note = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Why they are undone.")
    token = forms.UUIDField(widget=forms.HiddenInput)


@admin.register(StockItem)
class StockItemAdmin(ValueLink, ReadOnlyTenantAdmin):
    list_display = ["variant", "warehouse", "location", "lot", "quantity", "reserved", "packed", "available", "held"]
    list_filter = ["warehouse", "is_held"]
    fields = ["variant", "warehouse", "location", "lot", "quantity", "reserved", "packed", "available", "held", "updated_at"]
    actions_detail = ["adjust", "value"]

    def held(self, row: StockItem) -> str:
        """In words: a red cross for goods that are free would say the wrong thing."""
        return "Held" if row.is_held else ""

    @action(description="Adjust", url_path="adjust", permissions=["adjust"])
    def adjust(self, request: HttpRequest, object_id: str) -> HttpResponse:
        item = self.get_object(request, object_id)
        if item is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_adjust_permission(request, item.pk):
            raise PermissionDenied
        form = AdjustForm(request.POST or None, initial={"expected": item.quantity, "token": uuid4()})
        if request.method == "POST" and form.is_valid():
            try:
                with transaction.atomic():
                    done = form.post(item)
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, done, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:inventory_stockitem_change", args=[item.pk]))
        context = {
            **self.admin_site.each_context(request), "title": "Adjust", "subtitle": str(item), "opts": self.opts,
            "item": item, "form": form, "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/inventory/stockitem/adjust.html", context)

    def has_adjust_permission(self, request: Any, object_id: Any = None) -> bool:
        may = bool(request.user.has_perm(ADJUST))
        if not may or object_id is None:
            return may
        reached = StockItem.objects.filter(within(StockItem, reach(request.principal, ADJUST)))
        return bool(reached.filter(pk=object_id).exists())


@admin.register(StockMove)
class StockMoveAdmin(ReadOnlyTenantAdmin):
    """The ledger, newest first."""

    list_display = [
        "seq", "kind", "variant", "lot", "quantity", "from_location", "to_location", "reason", "occurred_at", "document_type",
    ]
    list_filter = ["kind"]
    ordering = ("-seq",)
    actions = ["reverse"]

    @admin.action(description="Reverse the selected moves", permissions=["reverse"])
    def reverse(self, request: Any, queryset: QuerySet) -> HttpResponse | None:
        """Shows first what would be posted."""
        try:
            moves = reversible(moves=list(queryset.values_list("pk", flat=True)))
        except DomainError as error:
            self.message_user(request, error.detail, messages.ERROR)
            return None
        sides = {side for move in moves for side in (move.from_location_id, move.to_location_id) if side}
        refuse_outside(Location, sides, reach(request.principal, REVERSE))
        form = ReverseForm(request.POST if "confirmed" in request.POST else None, initial={"token": uuid4()})
        if form.is_bound and form.is_valid():
            values = form.cleaned_data
            try:
                with transaction.atomic():
                    stock_reverse(moves=[move.pk for move in moves], circumstances=Circumstances(
                        note=values["note"], idempotency_key=f"admin:{values['token']}",
                    ))
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, f"{len(moves)} reversed.", messages.SUCCESS)
                return None
        rows = StockMove.objects.filter(pk__in=[move.pk for move in moves])
        context = {
            **self.admin_site.each_context(request), "title": "Reverse", "opts": self.opts, "form": form,
            "moves": rows.select_related("variant", "lot", "from_location", "to_location").order_by("-seq"),
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/inventory/stockmove/reverse.html", context)

    def has_reverse_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(REVERSE))
