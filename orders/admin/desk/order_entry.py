"""Selling from the keyboard: who buys, line by line or pasted, with prices and goods, and Ctrl+Enter places it."""

from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from core.admin_pages import key_of, key_or_none, text_of
from core.errors import Invalid
from core.limits import reach, refuse_outside
from inventory.gs1.meaning import Goods
from inventory.queries.barcodes import LONGEST, Scan, UnknownCode, scan_resolve
from orders.models import Channel, Customer, OrderEntry, SalesOrder
from orders.queries.order_entry import Entered, channels_in, customers_by, entered, priced, suggestions
from orders.services.order_entry import (
    LONGEST_CODE,
    NUMBER,
    Ordered,
    order_entry,
    order_entry_add,
    order_entry_change,
    order_entry_place,
    order_entry_reopen,
    order_entry_repeat,
    order_entry_replace,
    order_entry_undo,
    ordered,
    pasted,
)

ADD, PLACE, CANCEL = "orders.add_salesorder", "orders.place_salesorder", "orders.cancel_salesorder"
LOOK = "inventory.view_stockitem"  # without it there is no scan field either
MOST_CHOICES = 9  # a digit each
LONGEST_BLOCK = 200_000
ONE, NOTHING = Decimal(1), Entered([], "")


def sell_view(site: Any, request: Any) -> HttpResponse:
    entry = order_entry()
    context = {**site.each_context(request), "title": "Sell", **_context(request, entry, shows_buyer=True)}
    return TemplateResponse(request, "admin/desk/order_entry.html", context)


def customer_view(site: Any, request: Any) -> HttpResponse:
    """By code or the beginning of a name; `chosen` where there were several, and nothing for somebody else."""
    entry = order_entry()
    if key := key_or_none(request.POST, "chosen"):
        found = list(Customer.objects.filter(pk=key, archived_at=None).select_related("party"))
    elif text := text_of(request.POST, "customer"):
        found = customers_by(text, most=MOST_CHOICES)
    else:
        order_entry_change(entry=entry, customer=None)
        return _grid(request, entry, shows_buyer=True)
    if not found:
        raise Invalid("No customer has this code, nor a name that begins so.")
    if len(found) > 1:
        return _choices(request, found)
    order_entry_change(entry=entry, customer=found[0])
    return _grid(request, entry, shows_buyer=True)


def channel_view(site: Any, request: Any) -> HttpResponse:
    entry, chosen = order_entry(), key_of(request.POST, "channel")
    channel = next((one for one in channels_in(reach(request.principal, PLACE)) if one.pk == chosen), None)
    if channel is None:
        raise Invalid("There is no such channel that takes orders.")
    order_entry_change(entry=entry, channel=channel)
    return _grid(request, entry)


def suggest_view(site: Any, request: Any) -> HttpResponse:
    text = text_of(request.GET, "text", longest=LONGEST_CODE)
    entry = order_entry()
    found = suggestions(entry, text) if len(text) > 1 else []
    currency = entry.channel.currency if entry.channel else ""
    return TemplateResponse(request, "admin/desk/suggestions.html", {"found": found, "currency": currency})


def scan_view(site: Any, request: Any) -> HttpResponse:
    """One more of what was scanned, or as many as its pack has."""
    entry = order_entry()
    text = text_of(request.POST, "text", longest=LONGEST, is_scan=True)
    try:
        found = _scanned(scan_resolve(text=text, holder=request.principal, today=timezone.localdate()))
    except UnknownCode:
        if request.POST.get("by") != "hand":
            raise
        [found] = ordered([(text[:LONGEST_CODE], ONE)])
    order_entry_add(entry=entry, goods=[found], step=_step(request))
    return _grid(request, entry)


def line_add_view(site: Any, request: Any) -> HttpResponse:
    """What was typed, by code, or the suggestion that was taken."""
    entry = order_entry()
    order_entry_add(entry=entry, goods=[_typed(request, entry)], step=_step(request))
    return _grid(request, entry)


def line_view(site: Any, request: Any) -> HttpResponse:
    """Another quantity of a line, or what its unknown code was meant for."""
    entry, key, step = order_entry(), request.GET.get("line", ""), _step(request)
    if entry.steps.filter(step=step).exists():  # its answer was lost
        return _grid(request, entry)
    line = next((line for line in entered(entry).lines if line.key == key), None)
    if line is None:
        raise Invalid("This line is gone: somebody else works on it as you.")
    if line.variant is None and (code := text_of(request.POST, "code", longest=LONGEST_CODE)) and not NUMBER.fullmatch(code):
        [goods] = ordered([(code, line.quantity)])
    else:
        quantity = _quantity(request.POST.get("entry") or request.POST.get("code", ""), empty=Decimal(0))
        goods = Ordered(line.variant, quantity, line.code)
    order_entry_replace(entry=entry, line=line, goods=goods, step=step)
    return _grid(request, entry)


def paste_view(site: Any, request: Any) -> HttpResponse:
    block = request.POST.get("block", "")
    if len(block) > LONGEST_BLOCK:
        raise Invalid("This is too much to paste: at most 200,000 characters.")
    entry = order_entry()
    order_entry_add(entry=entry, goods=ordered(pasted(block)), step=_step(request))
    return _grid(request, entry)


def repeat_view(site: Any, request: Any) -> HttpResponse:
    entry = order_entry()
    order = order_entry_repeat(entry=entry, step=_step(request))
    return _grid(request, entry, done=f"As in {order}.")


def undo_view(site: Any, request: Any) -> HttpResponse:
    entry = order_entry()
    undone = order_entry_undo(entry=entry, step=text_of(request.POST, "step", longest=40))
    return _grid(request, entry, done="The last step is taken back." if undone else "This step is taken back already.")


def place_view(site: Any, request: Any) -> HttpResponse:
    """With the line that is still being typed."""
    entry, step = order_entry(), _step(request)
    if request.POST.get("text", "").strip() and entry.placed_step != step:
        order_entry_add(entry=entry, goods=[_typed(request, entry)], step=step)
    if entry.channel is not None:
        refuse_outside(Channel, [entry.channel.pk], reach(request.principal, PLACE))
    is_new = entry.placed_step != step
    order = order_entry_place(entry=entry, step=step)
    found = NOTHING if is_new else entered(entry)
    return _grid(request, entry, found, shows_buyer=True, placed=order, may_undo=request.user.has_perm(CANCEL))


def reopen_view(site: Any, request: Any) -> HttpResponse:
    entry = order_entry()
    order = SalesOrder.objects.filter(pk=key_of(request.POST, "order")).first()
    if order is None or entry.placed_id is None:
        return _grid(request, entry, done="This is undone already.")
    refuse_outside(SalesOrder, [order.pk], reach(request.principal, CANCEL))
    cancelled = order_entry_reopen(entry=entry, order=order, step=_step(request))
    return _grid(request, entry, shows_buyer=True, done=f"{cancelled} is canceled. Its lines are here again.")


# --- What they share -----------------------------------------------------------------------------------------
def _grid(
    request: Any, entry: OrderEntry, found: Entered | None = None, *, shows_buyer: bool = False, **more: Any,
) -> HttpResponse:
    """`found` is what is entered, where it is known; `shows_buyer`: who buys has changed."""
    context = {**_context(request, entry, found, shows_buyer=shows_buyer), "shows_buyer": shows_buyer, **more}
    response = TemplateResponse(request, "admin/desk/order_entry_lines.html", context)
    response.headers["X-Into"] = "#sale"
    return response


def _context(request: Any, entry: OrderEntry, found: Entered | None = None, *, shows_buyer: bool) -> dict[str, Any]:
    """The channels are read for who may choose among them, and where the one of before takes no orders any more."""
    shown: dict[str, Any] = {"entry": entry}
    if shows_buyer or entry.channel is None or not entry.channel.is_active:
        shown["channels"] = channels = channels_in(reach(request.principal, PLACE))
        if entry.channel not in channels:
            order_entry_change(entry=entry, channel=next(iter(channels), None))
    found = found or entered(entry)
    return {**shown, "sale": priced(entry, found.lines), "last_step": found.last_step}


def _choices(request: Any, found: list[Customer]) -> HttpResponse:
    shown = [(digit, one, urlencode({"chosen": str(one.pk)})) for digit, one in enumerate(found, 1)]
    response = TemplateResponse(request, "admin/desk/customer_choices.html", {"choices": shown})
    response.headers["X-Into"] = "#scan-panel"
    return response


def _scanned(scan: Scan) -> Ordered:
    """Raises Invalid for what is no article."""
    said = scan.reading.goods if scan.reading else None
    matches = {match.variant: match for match in scan.matches if match.variant}
    if not matches:
        raise Invalid("This is no article: scan what is sold.")
    if len(matches) > 1:
        return Ordered(None, _count(said), scan.text[:LONGEST_CODE])
    [match] = matches.values()
    return Ordered(match.variant, (match.quantity or ONE) * _count(said))


def _count(said: Goods | None) -> Decimal:
    return (said.quantity if said else None) or ONE


def _typed(request: Any, entry: OrderEntry) -> Ordered:
    """A suggestion that was taken; a code; or letters that are in one article alone, as they were typed."""
    code, quantity = text_of(request.POST, "text", longest=LONGEST_CODE), _quantity(request.POST.get("quantity", ""))
    if chosen := key_or_none(request.POST, "chosen"):
        return Ordered(chosen, quantity)
    if not code:
        raise Invalid("Type a code, or scan it.")
    [found] = ordered([(code, quantity)])
    if found.variant_id is None:
        meant = [one for one in suggestions(entry, code) if code.lower() in f"{one.sku} {one.name}".lower()]
        return Ordered(meant[0].variant, quantity, is_current=True) if len(meant) == 1 else found
    return found


def _quantity(text: str, *, empty: Decimal = ONE) -> Decimal:
    """Raises Invalid."""
    text = text.strip()
    if text and not NUMBER.fullmatch(text):
        raise Invalid(f"{text[:40]} is no quantity.")
    return Decimal(text.replace(",", ".")) if text else empty


def _step(request: Any) -> str:
    if not (step := text_of(request.POST, "id", longest=40)):
        raise Invalid("Reload the page: this came without its number.")
    return step
