"""The stock card: what there is of a variant, where, and the keys for what is done with it."""

from typing import Any
from uuid import UUID, uuid4

from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.http import urlencode

from core.codes import gone_by
from core.limits import reach
from inventory.admin.clerk.pages import SEE, key_of, key_or_none, part, whole
from inventory.models import Lot, ProductVariant
from inventory.queries.stock_card import Stock, StockPlace, incoming, stock_of

ADJUST, MOVE, RECEIVE = "inventory.adjust_stock", "inventory.move_stock", "inventory.receive_stock"
VERBS = {
    "adjust": ADJUST, "move": MOVE, "receive": RECEIVE, "count": "inventory.add_stockcount",
    "history": "inventory.view_stockmove",
}


def card_view(site: Any, request: Any) -> HttpResponse:
    """Alone for a scan or a search, in a page of its own for a link."""
    context = card_context(request, key_of(request.GET, "variant"), key_or_none(request.GET, "lot"))
    if "HX-Request" in request.headers:
        return part(request, "card", **context)
    return whole(site, request, "card_page", title="Stock card", subtitle=str(context["variant"]), **context)


def card(request: Any, variant_id: Any, lot_id: UUID | None = None, **more: Any) -> HttpResponse:
    return part(request, "card", **card_context(request, variant_id, lot_id, **more))


def card_url(variant: Any, lot: Any = None) -> str:
    return f"{reverse('admin:stock_card')}?{urlencode({'variant': variant, **({'lot': lot} if lot else {})})}"


def card_context(request: Any, variant_id: UUID, lot_id: UUID | None = None, **more: Any) -> dict[str, Any]:
    """`more`: what has just been done. Raises Http404."""
    seen = reach(request.principal, SEE)
    rows = ProductVariant.objects.select_related("product", "product__base_unit").annotate(incoming=incoming(seen))
    if (variant := rows.filter(pk=variant_id).first()) is None:
        raise Http404
    stock = stock_of([variant.pk], warehouses=seen, lot=lot_id)[variant.pk]
    chosen = more.pop("chosen", None) or (stock.places[0].item if stock.places else None)
    wanted = lot_id and not any(place.lot == lot_id for place in stock.places) and Lot.objects.filter(pk=lot_id).first()
    gone = gone_by(wanted.pk, request.principal) if wanted else []
    return {
        "variant": variant, "unit": variant.product.base_unit, "stock": stock, "chosen": chosen, "lot": lot_id,
        "missing_lot": wanted, "gone": gone, "is_tracked": any(place.lot for place in stock.places),
        "step": uuid4().hex, "may": {name: request.user.has_perm(permission) for name, permission in VERBS.items()}, **more,
    }


def summary(stock: Stock) -> str:
    """In a line, for lists: the sums and the first places."""
    if not stock.count:
        return f"available {stock.available.normalize():f}, by its components" if stock.available else "none on hand"
    places = ", ".join(_short(place) for place in stock.places)
    more = " …" if stock.count > len(stock.places) else ""
    sums = (("on hand", stock.on_hand), ("reserved", stock.reserved), ("available", stock.available))
    return " · ".join([*(f"{name} {number.normalize():f}" for name, number in sums), f"{places}{more}"])


def _short(place: StockPlace) -> str:
    return f"{place.location_code} {place.quantity.normalize():f}"
