"""Labels of cartons that are scanned while an order is packed, kept in the session until it leaves."""

from decimal import Decimal
from typing import Any, NamedTuple

from django.utils import timezone

from core.errors import Conflict, Invalid
from inventory.gs1.digits import is_checked
from inventory.gs1.errors import GS1Error
from inventory.gs1.meaning import goods, measure, read
from orders.models import PickList
from orders.queries.picking import OrderToPack
from orders.services.shipments import MOST_PARCELS, Parcel

KEPT = "packing-cartons"
LENGTH = 18  # of an SSCC
WEIGHTS = ("330", "310")  # identifiers of a gross and of a net weight in kilograms


class Label(NamedTuple):
    sscc: str
    weight: Decimal | None


def label_of(text: str) -> Label:
    """An SSCC, a weight as a scale prints it, or both. Raises Invalid."""
    if len(text) == LENGTH and is_checked(text):
        return Label(text, None)
    try:
        elements = read(text)
    except GS1Error as error:
        raise Invalid(f"This is no label of a carton, which has an SSCC of {LENGTH} digits: {error}") from error
    weight = next((measure(ai, value) for wanted in WEIGHTS for ai, value in elements if ai.startswith(wanted)), None)
    sscc = goods(elements, timezone.localdate()).sscc or ""
    if not sscc and weight is None:
        raise Invalid("This symbol has neither the SSCC of a carton nor a weight.")
    return Label(sscc, weight)


def cartons(request: Any, row: PickList, packing: OrderToPack) -> list[Parcel]:
    """Of this order alone: those of another one are forgotten."""
    kept = request.session.get(KEPT) or {}
    if kept.get("of") != _key(row, packing):
        return []
    return [Parcel(sscc, Decimal(weight) if weight else None) for sscc, weight in kept["labels"]]


def carton_add(request: Any, row: PickList, packing: OrderToPack, label: Label) -> list[Parcel]:
    """A weight alone is that of the last carton. Raises Conflict where there is none yet."""
    found = cartons(request, row, packing)
    if label.sscc and label.sscc not in {one.sscc for one in found}:
        found = [*found, Parcel(label.sscc, label.weight)]
    elif label.weight is not None:
        if not found:
            raise Conflict("Scan the label of the carton first, then its weight.", code="carton_first")
        at = next((number for number, one in enumerate(found) if one.sscc == label.sscc), len(found) - 1)
        found[at] = Parcel(found[at].sscc, label.weight)
    if len(found) > MOST_PARCELS:
        raise Invalid(f"At most {MOST_PARCELS} cartons.")
    _keep(request, row, packing, found)
    return found


def carton_drop(request: Any, row: PickList, packing: OrderToPack, sscc: str) -> list[Parcel]:
    found = [one for one in cartons(request, row, packing) if one.sscc != sscc]
    _keep(request, row, packing, found)
    return found


def cartons_forget(request: Any) -> None:
    request.session.pop(KEPT, None)


def _key(row: PickList, packing: OrderToPack) -> str:
    return f"{row.pk} {packing.order.pk}"


def _keep(request: Any, row: PickList, packing: OrderToPack, found: list[Parcel]) -> None:
    labels = [[one.sscc, "" if one.weight is None else str(one.weight)] for one in found]
    request.session[KEPT] = {"of": _key(row, packing), "labels": labels}
