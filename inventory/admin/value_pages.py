"""What the stock is worth, why, and how it is costed: pages of the admin."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.validators import MaxValueValidator, MinValueValidator
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.formats import number_format
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Organization
from core.csv_lists import csv_answer
from core.limits import reach
from inventory.models import ProductVariant, Warehouse
from inventory.queries.valuation import GROUPINGS, OCCURRED, POSTED, Question, inventory_value
from inventory.queries.value_history import value_history
from inventory.services.costing_methods import costing_method_change

SEE, CHANGE_METHOD = "inventory.view_valueentry", "accounts.change_organization"
SHOWN, ENTRIES = 500, 100
BY = {"variant": "Variant", "stock": "Variant and warehouse", "warehouse": "Warehouse", "category": "Category"}
HEADINGS = {
    "variant": ("SKU", "Name"), "stock": ("SKU", "Name", "Warehouse"), "warehouse": ("Code", "Name"), "category": ("Category",),
}
COLUMNS = {
    "variant": ("sku", "name"), "stock": ("sku", "name", "warehouse_code"), "warehouse": ("warehouse_code", "name"),
    "category": ("name",),
}
BASES = {POSTED: "as posted by then", OCCURRED: "as it had happened by then"}

type View = Callable[..., HttpResponse]


def urls(site: Any) -> list[Any]:
    return [
        path("value/", page(site, _report), name="inventory_value"),
        path("value/why/", page(site, _why), name="inventory_value_why"),
        path("value/costing-method/", page(site, _method), name="inventory_costing_method"),
    ]


def page(site: Any, view: View) -> View:
    def shown(request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(site, request, *args, **kwargs)

    admin_view: View = site.admin_view(require_http_methods(["GET", "POST"])(shown))
    return admin_view


def answer(site: Any, request: Any, name: str, context: dict[str, Any]) -> HttpResponse:
    request.current_app = site.name
    return TemplateResponse(request, f"admin/inventory/{name}.html", {**site.each_context(request), **context})


def why_url(variant: Any, warehouse: Any) -> str:
    return f"{reverse('admin:inventory_value_why')}?{urlencode({'variant': variant, 'warehouse': warehouse})}"


def plain(number: Any) -> str:
    return "" if number is None else number_format(f"{number.normalize():f}", force_grouping=True)


# --- The report -------------------------------------------------------------------------------------------
class ReportForm(forms.Form):
    day = forms.DateField(
        label="At the end of", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}),
        help_text="Empty: now.", validators=[MinValueValidator(date(1900, 1, 1)), MaxValueValidator(date(9998, 12, 31))],
    )
    basis = forms.ChoiceField(choices=BASES.items(), required=False, widget=UnfoldAdminSelectWidget, label="Counting")
    group_by = forms.ChoiceField(choices=BY.items(), required=False, widget=UnfoldAdminSelectWidget, label="By")
    warehouse = forms.ModelChoiceField(
        Warehouse.objects.none(), required=False, widget=UnfoldAdminSelectWidget, empty_label="All",
    )
    variant = forms.UUIDField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, seen: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Warehouse.objects.order_by("code")
        self.fields["warehouse"].queryset = found if seen is None else found.filter(pk__in=seen)  # type: ignore[attr-defined]

    def question(self, organization: Organization, seen: Any, limit: int | None) -> Question:
        values = self.cleaned_data
        day, as_of = values["day"], None
        if day:
            midnight = datetime.combine(day + timedelta(1), time(), ZoneInfo(organization.timezone))
            as_of = midnight - timedelta(microseconds=1)
        return Question(
            group_by=values["group_by"] or "variant", as_of=as_of, basis=values["basis"] or POSTED,
            warehouse=values["warehouse"] and values["warehouse"].pk, variant=values["variant"], warehouses=seen, limit=limit,
        )


def _report(site: Any, request: Any) -> HttpResponse:
    seen = _seen(request)
    organization = Organization.objects.get()
    form = ReportForm(request.GET, seen=seen)
    context = {
        "title": "Inventory value", "form": form, "organization": organization, "rows": None,
        "may_change_method": request.user.has_perm(CHANGE_METHOD),
    }
    if not form.is_valid():
        return answer(site, request, "value", context)
    question = form.question(organization, seen, None if "csv" in request.GET else SHOWN)
    found = inventory_value(question)
    by = question.group_by
    if "csv" in request.GET:
        names = (*GROUPINGS[by].names, "quantity", "value")
        return csv_answer(names, [[row[name] for name in names] for row in found.rows], "inventory-value")
    rows = [
        {"cells": [row[name] for name in COLUMNS[by]], "quantity": plain(row["quantity"]), "value": _money(row["value"]),
         "url": _deeper(by, row, request.GET)}
        for row in found.rows
    ]  # fmt: skip
    return answer(site, request, "value", {
        **context, "rows": rows, "headings": HEADINGS[by], "span": len(COLUMNS[by]) + 1, "total": _money(found.value),
        "count": found.count, "csv": f"?{urlencode({**request.GET.dict(), 'csv': '1'})}",
    })


def _deeper(by: str, row: dict[str, Any], query: Any) -> str:
    """From a row to what it is made of."""
    if by == "stock":
        return why_url(row["variant"], row["warehouse"])
    asked = {name: query[name] for name in ("day", "basis", "warehouse") if query.get(name)}
    if by == "variant":
        return f"?{urlencode({**asked, 'group_by': 'stock', 'variant': row['variant']})}"
    return f"?{urlencode({**asked, 'group_by': 'stock', 'warehouse': row['warehouse']})}" if by == "warehouse" else ""


# --- Why it is so -----------------------------------------------------------------------------------------
class WhyForm(forms.Form):
    variant = forms.UUIDField()
    warehouse = forms.UUIDField()
    before = forms.IntegerField(required=False, min_value=1, max_value=2**63 - 1)


def _why(site: Any, request: Any) -> HttpResponse:
    seen, form = _seen(request), WhyForm(request.GET)
    if not form.is_valid():
        raise Http404
    variant_id, warehouse_id = form.cleaned_data["variant"], form.cleaned_data["warehouse"]
    if seen is not None and warehouse_id not in seen:
        raise Http404
    variant, warehouse = _or_404(ProductVariant, variant_id), _or_404(Warehouse, warehouse_id)
    found = value_history(variant=variant_id, warehouse=warehouse_id, before=form.cleaned_data["before"], limit=ENTRIES)
    return answer(site, request, "value_why", {
        "title": "Why this value", "subtitle": f"{variant} in {warehouse}", "variant": variant, "warehouse": warehouse,
        "quantity": plain(found.quantity), "value": _money(found.value), "is_later": form.cleaned_data["before"],
        "layers": [
            {"layer": layer, **{name: plain(getattr(layer, name)) for name in (
                "quantity", "remaining", "value", "unit_cost", "landed_cost",
            )}} for layer in found.layers
        ],
        "entries": [
            {**entry, **{f"{name}_shown": plain(entry[name]) for name in (
                "quantity", "value", "quantity_after", "value_after", "unit_cost",
            )}} for entry in found.entries
        ],
        "older": found.next, "newest": why_url(variant_id, warehouse_id),
    })


def _or_404(model: Any, key: UUID) -> Any:
    if (row := model.objects.filter(pk=key).first()) is None:
        raise Http404
    return row


# --- How goods are costed -----------------------------------------------------------------------------------
class MethodForm(forms.Form):
    costing_method = forms.ChoiceField(choices=Organization.CostingMethod.choices, widget=UnfoldAdminSelectWidget)


def _method(site: Any, request: Any) -> HttpResponse:
    if not request.user.has_perm(CHANGE_METHOD):
        raise PermissionDenied
    form = MethodForm(request.POST or None, initial={"costing_method": Organization.objects.get().costing_method})
    if request.method == "POST" and form.is_valid():
        costing_method_change(method=form.cleaned_data["costing_method"])
        messages.success(request, "Goods are costed by this method from now on. The entries say what it revalued.")
        return HttpResponseRedirect(reverse("admin:inventory_value"))
    return answer(site, request, "costing_method", {"title": "Costing method", "form": form})


def _seen(request: Any) -> Any:
    if not request.user.has_perm(SEE):
        raise PermissionDenied
    return reach(request.principal, SEE)


def _money(amount: Any) -> str:
    return number_format(amount, decimal_pos=2, use_l10n=True, force_grouping=True)
