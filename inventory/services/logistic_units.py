"""Parcels and pallets get numbers that no other company gives, and stand where the unit stands that they are on."""

from typing import Any
from uuid import UUID

from accounts.models import Organization
from accounts.services.documents import number_next
from core.errors import Conflict, Invalid, NotFound
from inventory.gs1.meaning import sscc
from inventory.models import LogisticUnit, LogisticUnitContent
from inventory.queries.logistic_units import pile_of
from inventory.services.locks import lock_units

SEQUENCE = "logistic_unit"


def sscc_next() -> str:
    """The next SSCC of the organization. Raises Invalid where it has no GS1 company prefix, or no numbers are left."""
    prefix: str = Organization.objects.get().gs1_company_prefix
    if not prefix:
        detail = "Give the SSCC on the label, or set the company's GS1 prefix, with which numbers are made."
        raise Invalid(detail, code="no_gs1_prefix", fields={"sscc": detail})
    serial = number_next(document_type=SEQUENCE, first="{number}")
    try:
        return sscc(prefix, int(serial))
    except ValueError as error:
        detail = f"With the prefix {prefix} and the number {serial} no SSCC can be made: {error}"
        raise Invalid(detail, fields={"sscc": detail}) from error


def unit_locked(*, unit_id: UUID) -> LogisticUnit:
    """Until the end of the transaction nobody changes it, what it is on, and what is on it. Raises NotFound, or Conflict."""
    lock_units([unit_id])
    found = LogisticUnit.objects.select_related("location").filter(pk=unit_id).first()
    if found is None:
        raise NotFound("There is no such logistic unit.")
    unit: LogisticUnit = found
    return unit


def unit_create(*, unit: LogisticUnit | None = None, **values: Any) -> LogisticUnit:
    """Without an SSCC it gets the next one. `unit`: as a form made it."""
    unit = unit or LogisticUnit(**values)
    if unit.parent_id:
        lock_units([unit.parent_id])
        _stand(unit, says_where=unit.location_id is not None)
    unit.sscc = unit.sscc or sscc_next()
    unit.save()
    return unit


def unit_change(*, unit_id: UUID, **values: Any) -> LogisticUnit:
    """What stands on it goes along. Raises Conflict for another place where goods are within: they move by `unit_move`."""
    lock_units({unit_id, values.get("parent_id") or unit_id})
    unit = unit_locked(unit_id=unit_id)
    before = unit.location_id
    for name, value in values.items():
        setattr(unit, name, value)
    if unit.parent_id:
        _stand(unit, says_where=values.get("location_id") is not None)
    pile = pile_of(unit.pk) if unit.location_id != before else []
    if pile and LogisticUnitContent.objects.filter(unit__in=pile).exists():
        raise Conflict(
            f"There are goods in {unit.sscc}: move it to the place, and they move with it.", code="unit_holds_goods",
        )
    unit.sscc = unit.sscc or sscc_next()
    unit.save(update_fields=list(dict.fromkeys([*values, "location_id", "sscc"])))
    LogisticUnit.objects.filter(pk__in=pile).exclude(pk=unit.pk).update(location=unit.location_id)
    return unit


def _stand(unit: LogisticUnit, *, says_where: bool) -> None:
    """Where the unit stands that it is on. One that is not there is left to the foreign key."""
    parent = LogisticUnit.objects.select_related("location").filter(pk=unit.parent_id).first()
    if parent is None:
        return
    if says_where and unit.location_id != parent.location_id:
        where = f"at {parent.location}" if parent.location_id else "nowhere"
        detail = f"{parent.sscc}, which it is on, stands {where}: leave the location out, or take it off first."
        raise Invalid(detail, fields={"location": detail})
    unit.location_id = parent.location_id
