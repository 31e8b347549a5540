"""A round with a pick list: one line at a time, which a scan of its goods picks. After the last one it is packed."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.http import HttpResponse
from django.template.response import TemplateResponse

from core.admin_pages import key_of, text_of
from core.errors import Conflict, Invalid
from inventory.services.receipt_reading import NUMBER, goods_scanned
from orders.admin.desk.packing import pack_scan
from orders.admin.desk.rounds import PICK, PLACE, SEE, SHIP, context_of, lacks_place, pick_list_of, plain, round_of
from orders.admin.desk.scans import Scanned, go_to, scanned, step_of
from orders.models import PickList
from orders.queries.picking import Stop, stops
from orders.services.pick_lists import (
    pick_list_finish,
    pick_list_pick,
    pick_list_put_back,
    pick_list_short,
    pick_list_start,
)


def pick_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    row = pick_list_of(request, pick_list, SEE)
    return TemplateResponse(request, "admin/desk/pick.html", {
        **site.each_context(request), "title": "Pick", "subtitle": row.number, **context_of(request, row),
    })


def pick_scan_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    row = pick_list_of(request, pick_list, SEE)
    if _is_done(row, step_of(request)):
        return round_of(request, row)
    if row.status in PickList.OVER:
        return pack_scan(request, pick_list_of(request, pick_list, SHIP))
    row = pick_list_of(request, pick_list, PICK)
    stop = _now(row)
    found = scanned(request, {stop.line.variant_id})
    if found.articles:
        return _pick_scanned(request, row, stop, found)
    if found.location:
        return _arrive(request, row, stop, found.location)
    if found.page:
        return go_to(found.page)
    what = found.other.sku if found.other else "something else"
    raise Conflict(f"That is {what}: this line wants {stop.line.order_item.sku}.", code="wrong_goods")


def pick_line_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    """How many of the line are picked in all, a plus for all of it; or B and why it is not there."""
    row, step = pick_list_of(request, pick_list, PICK), step_of(request)
    if _is_done(row, step):
        return round_of(request, row)
    stop, text = _now(row), text_of(request.POST, "entry")
    if stop.line.pk != key_of(request.GET, "line"):
        raise Conflict("This line is done already: somebody else goes round with this list.", code="not_wanted")
    if text[:1] in ("b", "B"):
        return _missing(request, row, stop, text[1:].strip(), step)
    if text != "+" and not NUMBER.fullmatch(text):
        raise Invalid("Type how many were picked, + for all of them, or B and why they are not there.")
    total = stop.line.picked_quantity + stop.left if text == "+" else Decimal(text.replace(",", "."))
    more = total - stop.line.picked_quantity
    if more < 0:
        made = pick_list_put_back(pick_list=row, line_id=stop.line.pk, quantity=-more, step=step)
        return round_of(request, made, done=f"{plain(-more)} of {stop.line.order_item.sku} are at their place again.")
    return _pick(request, row, stop, more, step) if more else round_of(request, row)


def pick_short_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    """First the line in which one says why."""
    row = pick_list_of(request, pick_list, PICK)
    if request.method == "GET":
        return _missing(request, row, _now(row), "", "")
    line, step = key_of(request.POST, "line"), text_of(request.POST, "token", longest=40)
    return _short(request, row, line, text_of(request.POST, "reason"), step)


def pick_back_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    """The last pick was a mistake."""
    row = pick_list_of(request, pick_list, PICK)
    text = text_of(request.POST, "quantity")
    if not NUMBER.fullmatch(text):
        raise Invalid("Reload the page: this came without its quantity.")
    made = pick_list_put_back(
        pick_list=row, line_id=key_of(request.POST, "line"), quantity=Decimal(text), step=step_of(request),
    )
    return round_of(request, made, done="The last step is taken back: put it at its place again.")


def pick_finish_view(site: Any, request: Any, pick_list: UUID) -> HttpResponse:
    """What is left is of orders that are held."""
    row = pick_list_of(request, pick_list, PICK)
    return round_of(request, row if row.status in PickList.OVER else pick_list_finish(pick_list=_begun(row)))


def _is_done(row: PickList, step: str) -> bool:
    """Whether this has been written already, and its answer was lost."""
    return bool(step) and row.lines.filter(last_step=step).exists()


def _now(row: PickList) -> Stop:
    if (found := next((stop for stop in stops(row) if stop.is_next), None)) is None:
        raise Conflict("Nothing of this list is left to pick.", code="not_wanted")
    return found


def _begun(row: PickList) -> PickList:
    return pick_list_start(pick_list=row) if row.status == PickList.Status.OPEN else row


def _ended(row: PickList) -> PickList:
    """The round is over with its last line, unless lines wait for orders that are held."""
    is_left = any(stop.left > 0 and stop.line.is_open for stop in stops(row))
    return row if is_left else pick_list_finish(pick_list=row)


def _pick_scanned(request: Any, row: PickList, stop: Stop, found: Scanned) -> HttpResponse:
    _check_lot(stop, found.lot_of(stop.line.variant_id))
    quantity = goods_scanned(stop.line.variant_id, found.scan).quantity
    if quantity > stop.left:
        raise Conflict(
            f"These are {plain(quantity)} of {stop.line.order_item.sku}, and {plain(stop.left)} are left to pick: type how many.",
            code="more_than_open",
        )
    return _pick(request, row, stop, quantity, step_of(request))


def _pick(request: Any, row: PickList, stop: Stop, quantity: Decimal, step: str) -> HttpResponse:
    line = stop.line
    if lacks_place(request, row, stop):
        raise Conflict(f"Scan the place first: {line.stock_item.location}.", code="place_first")
    made = pick_list_pick(pick_list=_begun(row), line_id=line.pk, quantity=quantity, step=step)
    if stop.left == quantity:
        made = _ended(made)
    back = {"line": line.pk, "quantity": plain(quantity)} if made.status in PickList.ACTIVE else None
    done = f"{plain(quantity)} of {line.order_item.sku} from {line.stock_item.location}."
    return round_of(request, made, done=done, back=back)


def _missing(request: Any, row: PickList, stop: Stop, reason: str, step: str) -> HttpResponse:
    """Without a reason, the line to type it into."""
    if reason:
        return _short(request, row, stop.line.pk, reason, step)
    context = {"pick_list": row, "stop": stop, "token": uuid4().hex}
    response = TemplateResponse(request, "admin/desk/short_line.html", context)
    response.headers["X-Into"] = "#short-line"
    return response


def _short(request: Any, row: PickList, line: UUID, reason: str, step: str) -> HttpResponse:
    if _is_done(row, step):
        return round_of(request, row)
    before = row.lines.count()
    made = pick_list_short(pick_list=_begun(row), line_id=line, reason=reason, step=step)
    added = list(made.lines.filter(line__gte=before).select_related("stock_item__location").order_by("line"))
    places = ", ".join(f"{plain(one.quantity)} at {one.stock_item.location}" for one in added)
    said = f"There are more: {places}, at the end of the round." if places else "What is short waits as a back-order."
    return round_of(request, _ended(made), done=f"Written down as short. {said}")


def _check_lot(stop: Stop, lot: str) -> None:
    """An article that has lots is not known by its own code alone."""
    if (wanted := stop.line.lot) is None or lot.lower() == wanted.code.lower():
        return
    sku = stop.line.order_item.sku
    said = f"That is lot {lot}: this line wants" if lot else "Scan the lot, too: this line wants"
    raise Conflict(f"{said} lot {wanted.code} of {sku}.", code="wrong_goods")


def _arrive(request: Any, row: PickList, stop: Stop, location: UUID) -> HttpResponse:
    wanted = stop.line.stock_item.location
    if location != wanted.pk:
        raise Conflict(f"This is another place: {stop.line.order_item.sku} is at {wanted}.", code="wrong_place")
    request.session[PLACE] = str(location)
    return round_of(request, row, done=f"This is {wanted}.")
