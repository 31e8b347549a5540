from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from core.admin import ReadOnlyTenantAdmin, TenantAdmin
from core.errors import DomainError
from core.limits import reach, within
from inventory.admin.value_links import ValueLink
from inventory.models import ReasonCode, StockItem, StockMove
from inventory.services.stock import Adjustment, Circumstances, stock_adjust

ADJUST = "inventory.adjust_stock"


@admin.register(ReasonCode)
class ReasonCodeAdmin(TenantAdmin):
    list_display = ["kind", "code", "name", "requires_note"]
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

    def post(self, item: StockItem) -> None:
        """Raises DomainError."""
        values = self.cleaned_data
        counted: Decimal | None = values["counted"]
        adjustment = Adjustment(
            item.variant_id, item.location_id, change=values["change"], counted=counted,
            expected=values["expected"] if counted is not None else None,
        )
        stock_adjust(adjustments=[adjustment], circumstances=Circumstances(
            reason_id=values["reason"].pk, note=values["note"], idempotency_key=f"admin:{values['token']}",
        ))


@admin.register(StockItem)
class StockItemAdmin(ValueLink, ReadOnlyTenantAdmin):
    list_display = ["variant", "warehouse", "location", "quantity", "reserved", "available"]
    list_filter = ["warehouse"]
    fields = ["variant", "warehouse", "location", "quantity", "reserved", "available", "updated_at"]
    actions_detail = ["adjust", "value"]

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
                form.post(item)
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, "The adjustment is posted.", messages.SUCCESS)
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
        "seq", "kind", "variant", "quantity", "from_location", "to_location", "reason", "occurred_at", "document_type",
    ]
    list_filter = ["kind"]
    ordering = ("-seq",)
