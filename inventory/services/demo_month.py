"""A month of trade in the demo's vehicle-parts company, posted: the same each time, ending yesterday."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from uuid import UUID

from inventory.models import Location, ProductVariant, ReasonCode
from inventory.queries.assemblies import components_of
from inventory.services.basics import OPENING
from inventory.services.demo_catalog import INSPECTION
from inventory.services.demo_parts import PORTO, Part
from inventory.services.posting import Line
from inventory.services.stock import (
    Adjustment,
    Circumstances,
    stock_adjust,
    stock_assemble,
    stock_issue,
    stock_move,
    stock_receive,
)

DAYS = 29  # the first page shows 30, with today
MONDAY, TUESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY = 0, 1, 3, 4, 5, 6
HALF_DAYS = 11  # of work in a week: Saturday has one
BRANCH_SHARE = 3  # the branch keeps each third part, a third as much
FINDINGS = (
    ("DAMAGED", -1, "Box dropped from the shelf"),
    ("FOUND", 1, ""),
    ("LOST", -2, "Missing after the evening sale"),
    ("COUNT", -1, ""),
)

Kind = ReasonCode.Kind
type Sale = tuple[Part, UUID, int]


class Month:
    def __init__(self, parts: Sequence[Part], *, today: date, zone: tzinfo) -> None:
        self.parts, self.today, self.zone = parts, today, zone
        self.branch_parts = parts[::BRANCH_SHARE]
        self.held = {part.variant_id: part.opening for part in parts}
        self.branch_held = {part.variant_id: part.opening // BRANCH_SHARE for part in self.branch_parts}
        self.reasons = {(reason.kind, reason.code): reason.pk for reason in ReasonCode.objects.all()}
        self.kit = ProductVariant.objects.get(sku=INSPECTION).pk
        self.kit_parts = [self._part(one.variant_id) for one in components_of(self.kit)]
        self.quarantine = Location.objects.get(warehouse__code=PORTO, code="QUARANTINE").pk

    def play(self) -> None:
        self._open(self.today - timedelta(DAYS))
        worked = 0
        for ago in range(DAYS - 1, 0, -1):
            day = self.today - timedelta(ago)
            if day.weekday() != SUNDAY:
                halves = 1 if day.weekday() == SATURDAY else 2
                self._work(day, worked, worked + halves)
                worked += halves

    def _work(self, day: date, before: int, after: int) -> None:
        self._deliver(day)
        for at, first in ((time(11, 20), 0), (time(16, 45), 1)):
            self._sell(self._at(day, at, Kind.ISSUE, "SALE"), first, before, after)
        if day.weekday() == TUESDAY:
            self._restock_branch(day)
        if day.weekday() == THURSDAY:
            self._sell_in_branch(day)
        if day.weekday() == FRIDAY:
            self._check_shelves(day)
        if day.weekday() == MONDAY:
            self._assemble_kit(day)

    def _open(self, day: date) -> None:
        main = [Adjustment(part.variant_id, part.bin_id, change=Decimal(part.opening)) for part in self.parts]
        branch = [
            Adjustment(part.variant_id, part.branch_bin_id, change=Decimal(held))
            for part in self.branch_parts if (held := self.branch_held[part.variant_id])
        ]
        stock_adjust(adjustments=main + branch, circumstances=self._at(day, time(7, 30), Kind.ADJUSTMENT, OPENING))

    def _deliver(self, day: date) -> None:
        """Each supplier brings what has fallen to its minimum, up to the maximum in whole multiples."""
        due = [part for part in self.parts if part.restocked and self.held[part.variant_id] <= part.minimum]
        for supplier, parts in groupby(sorted(due, key=attrgetter("supplier")), key=attrgetter("supplier")):
            lines = []
            for part in parts:
                quantity = (part.maximum - self.held[part.variant_id]) // part.multiple * part.multiple
                self.held[part.variant_id] += quantity
                lines.append(Line(part.variant_id, Decimal(quantity), to_location_id=part.bin_id, unit_cost=part.cost))
            circumstances = self._at(day, time(8, 40), Kind.RECEIPT, "PURCHASE", f"Delivery from {supplier}")
            stock_receive(lines=lines, circumstances=circumstances)

    def _sell(self, circumstances: Circumstances, first: int, before: int, after: int) -> None:
        """Each part's weekly sales, spread over the half-days; the parts take turns, the even ones in the morning."""
        sold = []
        for shift, part in list(enumerate(self.parts))[first::2]:
            quantity = (part.weekly * after + shift) // HALF_DAYS - (part.weekly * before + shift) // HALF_DAYS
            sold.append((part, part.bin_id, min(quantity, self.held[part.variant_id])))
        _issue(sold, self.held, circumstances)

    def _sell_in_branch(self, day: date) -> None:
        sold = [
            (part, part.branch_bin_id, min(1 + part.weekly // 4, self.branch_held[part.variant_id]))
            for part in self.branch_parts
        ]
        _issue(sold, self.branch_held, self._at(day, time(15, 10), Kind.ISSUE, "SALE"))

    def _restock_branch(self, day: date) -> None:
        """What the branch is short of and the main warehouse can spare."""
        lines = []
        for part in self.branch_parts:
            quantity = part.opening // BRANCH_SHARE - self.branch_held[part.variant_id]
            if quantity > 0 and self.held[part.variant_id] - quantity > part.minimum:
                self.held[part.variant_id] -= quantity
                self.branch_held[part.variant_id] += quantity
                lines.append(Line(part.variant_id, Decimal(quantity), part.bin_id, part.branch_bin_id))
        if lines:
            stock_move(lines=lines, circumstances=self._at(day, time(9, 30), Kind.MOVE, "RESTOCK"))

    def _check_shelves(self, day: date) -> None:
        """One finding a week, and two pieces set aside for inspection."""
        week = (self.today - day).days // 7
        code, change, note = FINDINGS[week % len(FINDINGS)]
        found, doubtful = self.parts[5 + 11 * week], self.parts[8 + 11 * week]
        if self.held[found.variant_id] + change >= 0:
            self.held[found.variant_id] += change
            adjustment = Adjustment(found.variant_id, found.bin_id, counted=Decimal(self.held[found.variant_id]))
            circumstances = self._at(day, time(17, 40), Kind.ADJUSTMENT, code, note)
            stock_adjust(adjustments=[adjustment], circumstances=circumstances)
        if self.held[doubtful.variant_id] >= 2:
            self.held[doubtful.variant_id] -= 2
            line = Line(doubtful.variant_id, Decimal(2), doubtful.bin_id, self.quarantine)
            circumstances = self._at(day, time(17, 50), Kind.MOVE, "INSPECT", "Box crushed in transit")
            stock_move(lines=[line], circumstances=circumstances)

    def _assemble_kit(self, day: date) -> None:
        """One inspection kit a week, where there is one of each of its parts to spare."""
        if any(self.held[part.variant_id] <= part.minimum for part in self.kit_parts):
            return
        for part in self.kit_parts:
            self.held[part.variant_id] -= 1
        stock_assemble(
            components=[Line(part.variant_id, Decimal(1), from_location_id=part.bin_id) for part in self.kit_parts],
            kits=[Line(self.kit, Decimal(1), to_location_id=self.kit_parts[0].bin_id)],
            circumstances=Circumstances(occurred_at=datetime.combine(day, time(10, 15), self.zone)),
        )

    def _part(self, variant_id: UUID) -> Part:
        return next(part for part in self.parts if part.variant_id == variant_id)

    def _at(self, day: date, at: time, kind: ReasonCode.Kind, code: str, note: str = "") -> Circumstances:
        return Circumstances(
            reason_id=self.reasons[kind, code], note=note, occurred_at=datetime.combine(day, at, self.zone),
        )


def _issue(sold: Iterable[Sale], held: dict[UUID, int], circumstances: Circumstances) -> None:
    lines = []
    for part, place, quantity in sold:
        if quantity > 0:
            held[part.variant_id] -= quantity
            lines.append(Line(part.variant_id, Decimal(quantity), from_location_id=place))
    if lines:
        stock_issue(lines=lines, circumstances=circumstances)
