"""How the stock does, as charts and as tables: value, turnover, ABC, movers, ages, what is short and what was out."""

from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Organization
from config.analytics_sections import OF_COSTS, SECTIONS, Reading
from core.csv_lists import csv_answer
from core.errors import Invalid
from core.limits import reach
from inventory.models import Category, Warehouse
from inventory.queries.analytics_sources import SEES_COSTS, Goods, sees_costs
from inventory.queries.spans import DAY, PERIODS, Days, Span
from inventory.services.abc import abc_classes_write

VIEW, CHANGE = "inventory.view_stockitem", "inventory.change_productvariant"
SHOWN = 10


class AnalyticsForm(forms.Form):
    warehouse = forms.ModelChoiceField(
        Warehouse.objects.none(), required=False, widget=UnfoldAdminSelectWidget, empty_label="All",
    )
    category = forms.ModelChoiceField(
        Category.objects.none(), required=False, widget=UnfoldAdminSelectWidget, empty_label="All",
    )
    period = forms.ChoiceField(
        choices=[(period, period.capitalize()) for period in PERIODS], required=False, widget=UnfoldAdminSelectWidget, label="By",
    )
    from_day = forms.DateField(label="From", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))
    to_day = forms.DateField(label="To", required=False, widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}))

    def __init__(self, *args: Any, seen: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Warehouse.objects.order_by("code")
        self.fields["warehouse"].queryset = found if seen is None else found.filter(pk__in=seen)  # type: ignore[attr-defined]
        self.fields["category"].queryset = Category.objects.filter(archived_at=None).order_by("name")  # type: ignore[attr-defined]

    def goods(self, seen: Any) -> Goods:
        warehouse, category = self.cleaned_data["warehouse"], self.cleaned_data["category"]
        return Goods([warehouse.pk] if warehouse else seen, category.pk if category else None)

    def span(self, zone: str) -> Span | None:
        """None where the days are wrong: the form then says how."""
        values = self.cleaned_data
        days = Days(values["from_day"], values["to_day"], values["period"] or DAY)
        try:
            return days.span(ZoneInfo(zone), timezone.now())
        except Invalid as error:
            self.add_error(next(iter(error.fields)), error.detail)
            return None


def view(site: Any) -> Callable[..., HttpResponse]:
    @never_cache
    @require_http_methods(["GET", "POST"])
    def analytics_page(request: Any) -> HttpResponse:
        if not request.user.has_perm(VIEW):
            raise PermissionDenied("Only who may see stock sees how it does.")
        request.current_app = site.name
        return _page(site, request)

    return site.admin_view(analytics_page)  # type: ignore[no-any-return]


def _page(site: Any, request: Any) -> HttpResponse:
    organization, seen = Organization.objects.get(), reach(request.principal, VIEW)
    form = AnalyticsForm(request.GET, seen=seen)
    context = {"title": "Analytics", "form": form, "organization": organization}
    span = form.span(organization.timezone) if form.is_valid() else None
    if span is None:
        return _shown(site, request, context)
    goods = form.goods(seen)
    costs = sees_costs(request.principal, goods.warehouses)
    if request.method == "POST":
        return _write_classes(request, span)
    names = [name for name in SECTIONS if costs or name not in OF_COSTS]
    csv = request.GET.get("csv")
    shown = None if csv in names else SHOWN
    reading = Reading(goods, span, form.cleaned_data["period"] or DAY, organization.base_currency, costs, shown)
    if csv in names:
        section = SECTIONS[csv](reading)
        return csv_answer(section.heads, section.rows, section.id)
    return _shown(site, request, {
        **context, "span": span, "costs": costs,
        "sections": [(SECTIONS[name](reading), _query(request, csv=name)) for name in names],
        "may_write": costs and _may_write(request) and not (form.cleaned_data["warehouse"] or goods.category),
    })


def _shown(site: Any, request: Any, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, "admin/analytics.html", {**site.each_context(request), **context})


def _may_write(request: Any) -> bool:
    """Classes are of all warehouses."""
    return all(request.user.has_perm(one) and reach(request.principal, one) is None for one in (CHANGE, SEES_COSTS))


def _write_classes(request: Any, span: Span) -> HttpResponse:
    if not _may_write(request):
        raise PermissionDenied("ABC classes are written by who may change variants, and sees what all stock is worth.")
    changed = abc_classes_write(span=span)
    messages.success(request, f"ABC classes are written: {changed} variants have another one now.")
    return HttpResponseRedirect(f"{request.path}{_query(request)}")


def _query(request: Any, **more: str) -> str:
    query = {name: value for name, value in request.GET.items() if name != "csv"} | more
    return f"?{urlencode(query)}" if query else ""
