"""Starting a count, what it found, the sheet on paper, and the approval of what is over a limit."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from core.errors import Conflict, DomainError, Invalid
from core.limits import reach, refuse_outside
from core.paging import BadCursor
from inventory.admin.count_sheet import shown
from inventory.admin.price_pages import PlainForm
from inventory.admin.value_pages import plain
from inventory.models import Category, Location, ProductVariant, StockCount, Warehouse
from inventory.models.counts import LONGEST_INTERVAL
from inventory.queries.counts import CHOICES, Row, lines_window, serials_to_find, sheet, totals, variance
from inventory.services.count_posting import Rest, stock_count_approve, stock_count_post, stock_count_reject
from inventory.services.counts import (
    Selection,
    Terms,
    stock_count_cancel,
    stock_count_open,
    stock_count_recount,
)

START, VIEW, CANCEL = "inventory.add_stockcount", "inventory.view_stockcount", "inventory.change_stockcount"
POST, APPROVE = "inventory.post_stockcount", "inventory.approve_stockcount"
LINES, ON_PAPER = 200, 2_000
SHOWN = {
    "differing": "What differs", "above": "Above the tolerance", "left": "Not counted", "counted": "All that is counted",
    "all": "All lines",
}
Kind, Status = StockCount.Kind, StockCount.Status

type Verb = Callable[[], str]


# --- Start --------------------------------------------------------------------------------------------------
class StartForm(PlainForm):
    place = forms.CharField(
        label="Location", required=False, max_length=64,
        widget=UnfoldAdminTextInputWidget(attrs={"autofocus": True}),
        help_text="Scan or type its code: it and all below it. Empty: the whole warehouse.",
    )
    warehouse = forms.ModelChoiceField(
        Warehouse.objects.none(), required=False, widget=UnfoldAdminSelectWidget,
        help_text="That of the location, unless chosen.",
    )
    category = forms.ModelChoiceField(Category.objects.none(), required=False, widget=UnfoldAdminSelectWidget)
    abc_class = forms.ChoiceField(
        label="ABC class", choices=[("", "All"), *ProductVariant.AbcClass.choices], required=False,
        widget=UnfoldAdminSelectWidget,
    )
    days = forms.IntegerField(
        label="Not counted for days", required=False, min_value=1, max_value=LONGEST_INTERVAL,
        widget=UnfoldAdminIntegerFieldWidget, help_text="A cycle count of what is due. Empty: a full count.",
    )
    is_blind = forms.BooleanField(
        label="Blind", required=False, initial=True, widget=UnfoldBooleanSwitchWidget,
        help_text="Who counts does not see what is booked.",
    )
    tolerance_quantity = forms.DecimalField(
        required=False, min_value=0, max_digits=19, decimal_places=6, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
        help_text="A line that differs by more is counted again.",
    )
    tolerance_percent = forms.DecimalField(
        required=False, min_value=0, max_digits=7, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"}),
    )
    note = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)

    def __init__(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reached = reach(request.principal, START)
        warehouses = Warehouse.objects.filter(archived_at=None)
        if self.reached is not None:
            warehouses = warehouses.filter(pk__in=self.reached)
        self.fields["warehouse"].queryset = warehouses.order_by("code")  # type: ignore[attr-defined]
        self.fields["category"].queryset = Category.objects.filter(archived_at=None).order_by("name")  # type: ignore[attr-defined]

    def begin(self) -> StockCount:
        """Raises DomainError."""
        values = self.cleaned_data
        location = _location(values["place"], values["warehouse"]) if values["place"] else None
        warehouse_id = location.warehouse_id if location else values["warehouse"] and values["warehouse"].pk
        if warehouse_id is None:
            raise Invalid("Say where to count: a location or a warehouse.")
        refuse_outside(Warehouse, {warehouse_id}, self.reached)
        category_id = values["category"].pk if values["category"] else None
        return stock_count_open(
            selection=Selection(
                warehouse_id, location.pk if location else None, category_id, values["abc_class"], values["days"],
            ),
            terms=Terms(
                kind=Kind.CYCLE if values["days"] else Kind.FULL, is_blind=values["is_blind"],
                tolerance_quantity=values["tolerance_quantity"], tolerance_percent=values["tolerance_percent"],
                note=values["note"],
            ),
        )


def _location(text: str, warehouse: Warehouse | None) -> Location:
    """By its code or its barcode."""
    known = Location.objects.all() if warehouse is None else Location.objects.filter(warehouse=warehouse)
    found: list[Location] = list(known.filter(code_key=text.strip().lower())[:2])
    found = found or list(known.filter(barcode=text.strip())[:2])
    if not found:
        raise Invalid(f"There is no location {text}: scan it again, or choose its warehouse.")
    if len(found) > 1:
        raise Conflict(f"There is a location {text} in several warehouses: choose the warehouse.", code="ambiguous")
    return found[0]


def start(page: Any, request: Any) -> HttpResponse:
    """With `location` in the form, as a card sends it: a blind count of this place, or the one that is open there."""
    if request.method == "POST" and "location" in request.POST:
        return _start_here(page, request)
    form = StartForm(request, request.POST if request.method == "POST" else None, initial={"place": request.GET.get("place", "")})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                count = form.begin()
        except DomainError as error:
            form.add_error(None, error.detail)
        else:
            return HttpResponseRedirect(sheet_url(count))
    return _shown(page, request, "start", title="Start a count", form=form, media=page.media + form.media)


def _start_here(page: Any, request: Any) -> HttpResponse:
    try:
        location = Location.objects.filter(pk=UUID(request.POST["location"])).first()
    except ValueError:
        location = None
    if location is None:
        page.message_user(request, "There is no such location.", messages.ERROR)
        return HttpResponseRedirect(reverse("admin:inventory_stockcount_start"))
    refuse_outside(Warehouse, {location.warehouse_id}, reach(request.principal, START))
    count = StockCount.objects.filter(location=location, status=Status.OPEN, category=None, abc_class="").order_by("-pk").first()
    return HttpResponseRedirect(sheet_url(count or stock_count_open(selection=Selection(location.warehouse_id, location.pk))))


def sheet_url(count: StockCount) -> str:
    return reverse("admin:inventory_stockcount_sheet", args=[count.pk])


# --- What was found -----------------------------------------------------------------------------------------
def variance_page(page: Any, request: HttpRequest, count: StockCount) -> HttpResponse:
    if request.method == "POST":
        return _do(page, request, count, lambda: _finish(count, request.POST))
    only = request.GET.get("only", "differing")
    try:
        window = lines_window(LINES, request.GET.get("cursor"))
    except BadCursor:
        return HttpResponseRedirect(request.path)
    found, sums = variance(count, window, only if only in CHOICES else "differing"), totals(count)
    rows = [_shown_row(row) for row in found.rows]
    return _shown(
        page, request, "variance", title="Variance", subtitle=str(count), count=count, rows=rows, totals=sums,
        left=sums.lines - sums.counted, value=plain(sums.value), is_open=count.status == Status.OPEN, only=only,
        choices=SHOWN, previous=found.previous, next=found.next, sheet=sheet_url(count),
    )


def _shown_row(row: Row) -> Row:
    numbers = {f"{name}_shown": plain(row[name]) for name in ("difference", "value", "moved_since")}
    return {**shown(row), **numbers}


def _finish(count: StockCount, posted: Any) -> str:
    """Raises DomainError."""
    if line := posted.get("line"):
        stock_count_recount(count_id=count.pk, lines=[_key(line)])
        return "This line is to be counted again."
    if "recount" in posted:
        return f"{stock_count_recount(count_id=count.pk)} lines are to be counted again."
    rest = posted.get("rest", Rest.REFUSE.value)
    done = stock_count_post(count_id=count.pk, rest=Rest(rest) if rest in list(Rest) else Rest.REFUSE)
    if done.status == Status.PENDING:
        return f"Posted, but for the lines over the limit of the reason, which wait for approval.{_lost(done)}"
    return f"The count is posted.{_lost(done)}"


def _lost(count: StockCount) -> str:
    if not count.promises_lost:
        return ""
    many = f"{count.promises_lost} reservation{'' if count.promises_lost == 1 else 's'}"
    return f" Goods of {many} were not found: they are promised from elsewhere, or wait for goods."


def _key(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as error:
        raise Invalid("There is no such line.") from error


# --- Others -------------------------------------------------------------------------------------------------
class DecisionForm(PlainForm):
    note = forms.CharField(
        required=False, max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Who rejects says why.",
    )


def decide_page(page: Any, request: HttpRequest, count: StockCount) -> HttpResponse:
    form = DecisionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        note = form.cleaned_data["note"]

        def decide() -> str:
            verb = stock_count_approve if "approve" in request.POST else stock_count_reject
            done = verb(count_id=count.pk, note=note)
            return f"The count is posted.{_lost(done)}" if "approve" in request.POST else "What waited is to be counted again."

        return _do(page, request, count, decide)
    rows = [_shown_row(row) for row in variance(count, lines_window(LINES, None)).rows if not row["is_posted"]]
    return _shown(
        page, request, "decide", title="Look and decide", subtitle=str(count), count=count, rows=rows, form=form,
        media=page.media + form.media,
    )


def cancel_page(page: Any, request: HttpRequest, count: StockCount) -> HttpResponse:
    if request.method == "POST":
        def cancel() -> str:
            stock_count_cancel(count_id=count.pk)
            return "The count is canceled; nothing of it is posted."

        return _do(page, request, count, cancel)
    return _shown(page, request, "cancel", title="Cancel", subtitle=str(count), count=count)


def print_page(page: Any, request: HttpRequest, count: StockCount) -> HttpResponse:
    """On paper, to be typed or scanned afterwards."""
    try:
        window = lines_window(ON_PAPER, request.GET.get("cursor"))
    except BadCursor:
        return HttpResponseRedirect(request.path)
    found = sheet(count, window)
    return _shown(
        page, request, "print", count=count, rows=[shown(row) for row in found.rows], serials=serials_to_find(count),
        next=found.next,
    )


def _do(page: Any, request: HttpRequest, count: StockCount, verb: Verb) -> HttpResponse:
    """What a service refuses is said on the page where it was asked for."""
    try:
        with transaction.atomic():
            done = verb()
    except DomainError as error:
        page.message_user(request, error.detail, messages.ERROR)
        return HttpResponseRedirect(request.get_full_path())
    page.message_user(request, done, messages.SUCCESS)
    count.refresh_from_db()
    if count.status != Status.OPEN:
        return HttpResponseRedirect(reverse("admin:inventory_stockcount_change", args=[count.pk]))
    return HttpResponseRedirect(reverse("admin:inventory_stockcount_variance", args=[count.pk]))


def _shown(page: Any, request: Any, template: str, **context: Any) -> HttpResponse:
    request.current_app = page.admin_site.name
    return TemplateResponse(
        request, f"admin/inventory/stockcount/{template}.html",
        {**page.admin_site.each_context(request), "opts": page.opts, **context},
    )
