"""The sheet of a count: number, Enter, number, Enter. What is typed is kept at once; a scan finds its line or adds one."""

from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from core.characters import CONTROL
from core.errors import DomainError
from core.limits import reach, within
from core.paging import BadCursor
from inventory.gs1.elements import GS
from inventory.models import StockCount
from inventory.queries.barcodes import LONGEST, scan_resolve
from inventory.queries.counts import Row, lines_window, progress, serials_to_find, sheet, sheet_line
from inventory.services.count_scans import Scanned, Unexpected, stock_count_scan
from inventory.services.counts import Counted, stock_count_record
from inventory.services.posting import LotCode

RECORD = "inventory.record_stockcount"
LINES = 200  # on a page
AT_ONCE, MOST_AGE = 1, 24 * 60 * 60  # seconds


class RecordForm(forms.Form):
    """A line, or goods that are not on the sheet. `age`: how many seconds ago it was typed, where the network was away."""

    counted = forms.DecimalField(min_value=0, max_digits=19, decimal_places=6)
    line = forms.UUIDField(required=False)
    variant = forms.UUIDField(required=False)
    location = forms.UUIDField(required=False)
    lot = forms.UUIDField(required=False)
    lot_code = forms.CharField(required=False, max_length=80)
    age = forms.FloatField(required=False, min_value=0, max_value=MOST_AGE)

    def counted_line(self) -> Counted:
        values = self.cleaned_data
        return Counted(
            values["counted"], line_id=values["line"], variant_id=values["variant"], location_id=values["location"],
            lot_id=values["lot"], lot=LotCode(values["lot_code"]) if values["lot_code"] else None,
        )


def count_or_404(request: Any, pk: UUID, permission: str) -> StockCount:
    if not request.user.has_perm(permission):
        raise PermissionDenied
    rows = StockCount.objects.filter(within(StockCount, reach(request.principal, permission)))
    count: StockCount | None = rows.select_related("warehouse", "location", "category", "reason").filter(pk=pk).first()
    if count is None:
        raise Http404
    return count


def sheet_page(page: Any, request: HttpRequest, count: StockCount) -> HttpResponse:
    try:
        window = lines_window(LINES, request.GET.get("cursor"))
    except BadCursor:
        return HttpResponseRedirect(request.path)
    found = sheet(count, window)
    counted, lines = progress(count)
    may_post = page.has_post_permission(request, count.pk)
    context = {
        **page.admin_site.each_context(request), "title": "Count", "subtitle": str(count), "opts": page.opts, "count": count,
        "rows": [shown(row) for row in found.rows], "serials": serials_to_find(count), "counted": counted, "lines": lines,
        "is_open": count.status == StockCount.Status.OPEN, "previous": found.previous, "next": found.next,
        "after": reverse(f"admin:inventory_stockcount_{'variance' if may_post else 'change'}", args=[count.pk]),
    }
    return TemplateResponse(request, "admin/inventory/stockcount/sheet.html", context)


def shown(row: Row) -> Row:
    """38 instead of 38.000000, as a person types it."""
    return {**row, **{name: _typed(row.get(name)) for name in ("counted", "counted_before", "book")}}


def _typed(number: Decimal | None) -> str:
    return "" if number is None else f"{number.normalize():f}"


def record(site: Any, request: Any, pk: UUID) -> HttpResponse:
    """What the page sends when a number is typed, in the order of typing."""
    count, form = count_or_404(request, pk, RECORD), RecordForm(request.POST)
    if not form.is_valid():
        return JsonResponse({"problem": "This is not a quantity: type a number, such as 12 or 0.5."}, status=422)
    age = form.cleaned_data["age"] or 0
    typed_at = timezone.now() - timedelta(seconds=age) if age > AT_ONCE else None
    try:
        with transaction.atomic():
            [line] = stock_count_record(count_id=count.pk, lines=[form.counted_line()], counted_at=typed_at)
    except DomainError as error:
        return JsonResponse({"problem": error.detail}, status=409)
    return JsonResponse({"line": line.id, "progress": progress(count)})


def scan(site: Any, request: Any, pk: UUID) -> HttpResponse:
    """A piece of the page: which line it is, and the line itself if the page does not show it."""
    count, text = count_or_404(request, pk, RECORD), request.POST.get("text", "")
    if not text.strip() or len(text) > LONGEST or CONTROL.search(text.replace(GS, "")):
        return _scanned(request, problem="This cannot be read: scan it again.")
    try:
        with transaction.atomic():
            found = scan_resolve(text=text, holder=request.principal, today=timezone.localdate())
            done = stock_count_scan(count=count, scan=found, location_id=_place(request.GET.get("place", "")))
    except DomainError as error:
        return _scanned(request, problem=error.detail)
    return _scanned(request, **_answer(count, done))


def _place(given: str) -> UUID | None:
    try:
        return UUID(given)
    except ValueError:
        return None


def _answer(count: StockCount, done: Scanned) -> dict[str, Any]:
    if done.place:
        return {"place": done.place}
    if done.unexpected:
        return {"row": _unexpected(done.unexpected)}
    if done.line_id is None:
        return {}
    row = sheet_line(count, done.line_id)
    return {"row": shown(row), "line": row["id"], "is_counted": done.is_counted, "progress": progress(count)}


def _unexpected(goods: Unexpected) -> Row:
    match, lot_code = goods.match, goods.lot_code
    if goods.lot_id:
        lot_code = match.title if match.kind == "lot" else lot_code
    fields = {"variant": match.variant, "location": goods.location.pk, "lot": goods.lot_id or "", "lot_code": goods.lot_code}
    return {
        "fields": urlencode(fields), "sku": match.sku, "name": match.name, "location_code": goods.location.code,
        "lot_code": lot_code, "is_found": True,
    }


def _scanned(request: Any, **context: Any) -> HttpResponse:
    return TemplateResponse(request, "admin/inventory/stockcount/scanned.html", context)
