"""Quantities in other units. Factors are fractions, so nothing is rounded before the end, and then as the unit says."""

from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from core.errors import Invalid
from inventory.models import UnitOfMeasure

if TYPE_CHECKING:
    from fractions import Fraction

PLACES = 6  # of any quantity


class Converted(NamedTuple):
    """`factor` is what one of the source is in the target; not `exact`: the quantity was rounded, half away from zero."""

    quantity: Decimal
    exact: bool
    factor: "Fraction"


def converted(quantity: Decimal, source: UnitOfMeasure, target: UnitOfMeasure) -> Converted:
    """Raises Invalid where the units measure different things."""
    if source.pk != target.pk and (source.dimension != target.dimension or source.dimension == UnitOfMeasure.Dimension.NONE):
        what = f"{source.name} ({source.get_dimension_display()}) is not convertible to {target.name}"
        raise Invalid(f"{what} ({target.get_dimension_display()}).", fields={"to": "Give a unit of the same dimension."})
    factor = in_base(source) / in_base(target)
    whole = fraction(quantity) * factor
    rounded = _rounded(whole, min(target.rounding, PLACES))
    return Converted(rounded, fraction(rounded) == whole, factor)


def in_base(unit: UnitOfMeasure) -> "Fraction":
    """What one of it is in the base unit of its dimension."""
    return fraction(unit.factor) / unit.divisor


def fraction(number: Decimal) -> "Fraction":
    from fractions import Fraction  # noqa: PLC0415  # takes 5 ms, which only amounts in units need

    return Fraction(number)


def _rounded(number: "Fraction", places: int) -> Decimal:
    """Half away from zero, as merchants do."""
    scaled = abs(number) * 10**places
    whole = (2 * scaled.numerator + scaled.denominator) // (2 * scaled.denominator)
    digits = tuple(map(int, str(whole)))
    return Decimal((int(number < 0 and whole > 0), digits, -places))
