"""Pages of fitment: the parts of a vehicle model, the vehicle models of a part, and how one says what it fits."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.admin import TenantAdmin
from core.errors import DomainError
from core.limits import reach
from core.paging import BadCursor, Page, Window
from inventory.models import Warehouse
from inventory.queries.fitment import Stock, parts_of, parts_window, vehicles_of, vehicles_window
from inventory.services.fitment import Mode, Outcome, Place, Span, fitments_set

VIEW, VIEW_STOCK = "inventory.view_fitment", "inventory.view_stockitem"
WRITE = ["inventory.add_fitment", "inventory.change_fitment", "inventory.delete_fitment"]
PAGE = 50
NUMBERS = ("quantity_per_vehicle", "on_hand", "available", "threshold")
FIRST_YEAR, LAST_YEAR = 1880, 2199


def year(**options: Any) -> forms.IntegerField:
    return forms.IntegerField(
        required=False, min_value=FIRST_YEAR, max_value=LAST_YEAR, widget=UnfoldAdminIntegerFieldWidget, **options,
    )


def text(most: int, **options: Any) -> forms.CharField:
    return forms.CharField(**{"required": False, **options}, max_length=most, widget=UnfoldAdminTextInputWidget)


class StockForm(forms.Form):
    warehouse = forms.ModelChoiceField(Warehouse.objects.none(), required=False, widget=UnfoldAdminSelectWidget)
    in_stock = forms.BooleanField(label="Only what is available there", required=False, widget=UnfoldBooleanSwitchWidget)

    def __init__(self, request: Any) -> None:
        super().__init__(request.GET)
        seen = reach(request.principal, VIEW_STOCK)
        warehouses = Warehouse.objects.filter(archived_at=None)
        if seen is not None:
            warehouses = warehouses.filter(pk__in=seen)
        if request.user.has_perm(VIEW_STOCK):
            self.fields["warehouse"].queryset = warehouses.order_by("code")  # type: ignore[attr-defined]
        else:
            self.fields = {}  # nothing to choose

    def stock(self) -> Stock | None:
        if not self.is_valid() or not (warehouse := self.cleaned_data.get("warehouse")):
            return None
        return Stock(warehouse.pk, only=self.cleaned_data["in_stock"])


class SetForm(forms.Form):
    make = text(60, required=True)
    model = text(100, help_text="Empty: all models of the make.")
    year_from = year()
    year_to = year()
    position = text(40, help_text="Such as front left.")
    quantity_per_vehicle = forms.DecimalField(
        required=False, min_value=Decimal("0.000001"), max_digits=19, decimal_places=6, widget=UnfoldAdminDecimalFieldWidget,
        help_text="Empty: as it is; one for a new fitment.",
    )
    notes = text(200, help_text="Empty: as they are.")
    mode = forms.ChoiceField(choices=Mode.choices, widget=UnfoldAdminSelectWidget)

    def outcome(self, variant_id: UUID, *, preview: bool) -> Outcome:
        """Raises DomainError."""
        given = self.cleaned_data
        years = {name: given[name] for name in ("year_from", "year_to") if given[name]}
        place = Place(given["position"], given["quantity_per_vehicle"], given["notes"] or None)
        span = Span(given["make"], given["model"], **years)
        return fitments_set(variant_id=variant_id, spans=[span], place=place, mode=given["mode"], preview=preview)


class FitmentPages(TenantAdmin):
    """What both directions share."""

    def has_fitment_permission(self, request: Any, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(VIEW))

    def has_set_vehicles_permission(self, request: Any, object_id: Any = None) -> bool:
        return bool(request.user.has_perms(WRITE))

    def list_page(
        self, request: HttpRequest, row: Any, title: str, form: forms.Form, window: Callable[[int, str | None], Window],
        read: Callable[[Window], Page[dict[str, Any]]], link: tuple[str, str], columns: Sequence[str],
    ) -> HttpResponse:
        try:
            page = read(window(PAGE, request.GET.get("cursor")))
        except BadCursor:
            return HttpResponseRedirect(request.path)
        shown = [name for name in columns if not page.rows or name in page.rows[0]]
        address, key = link
        rows = [(reverse(address, args=[one[key]]), [_plain(name, one[name]) for name in shown]) for one in page.rows]
        context = {
            **self.admin_site.each_context(request), "title": title, "subtitle": str(row), "opts": self.opts, "form": form,
            "heads": [name.replace("_", " ").capitalize() for name in shown], "rows": rows, "media": self.media + form.media,
            "previous": _query(request, page.previous), "next": _query(request, page.next),
        }
        return TemplateResponse(request, "admin/inventory/fitment/list.html", context)


class PartsOfVehicle(FitmentPages):
    """For vehicle models."""

    @action(description="Parts", url_path="parts", permissions=["fitment"])
    def parts(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        form = StockForm(request)
        stock = form.stock()
        columns = [
            "sku", "name", "replaces_sku", "position", "quantity_per_vehicle", "on_hand", "available", "threshold", "is_low",
            "notes",
        ]
        return self.list_page(
            request, row, "Parts that fit", form, parts_window, lambda window: parts_of(row.pk, window, stock),
            ("admin:inventory_productvariant_change", "variant"), columns,
        )


class VehiclesOfPart(FitmentPages):
    """For parts."""

    @action(description="Vehicles", url_path="vehicles", permissions=["fitment"])
    def vehicles(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        columns = ["make", "model", "year", "engine", "trim", "replaces_sku", "position", "quantity_per_vehicle", "notes"]
        return self.list_page(
            request, row, "Vehicles that it fits", forms.Form(), vehicles_window, lambda window: vehicles_of(row.pk, window),
            ("admin:inventory_vehiclemodel_change", "vehicle_model"), columns,
        )

    @action(description="Set vehicles", url_path="set-vehicles", permissions=["set_vehicles"])
    def set_vehicles(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Preview, then do."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        form, outcome = SetForm(request.POST if request.method == "POST" else None), None
        back = reverse("admin:inventory_productvariant_vehicles", args=[row.pk])
        if request.method == "POST" and form.is_valid():
            doing = "do" in request.POST
            try:
                outcome = form.outcome(row.pk, preview=not doing)
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                if doing:
                    done = f"{outcome.created} added, {outcome.changed} changed, {outcome.removed} taken away."
                    self.message_user(request, done, messages.SUCCESS)
                    return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request), "title": "Set vehicles", "subtitle": str(row), "opts": self.opts,
            "form": form, "outcome": outcome, "back": back, "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/inventory/fitment/set.html", context)


def _plain(name: str, value: Any) -> Any:
    """38 instead of 38.000000; nothing instead of None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    return f"{Decimal(value).normalize():f}" if name in NUMBERS else value


def _query(request: HttpRequest, cursor: str | None) -> str:
    if cursor is None:
        return ""
    query: QueryDict = request.GET.copy()
    query["cursor"] = cursor
    return query.urlencode()
