"""Quantities in other units, exactly."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.models import UnitOfMeasure
from inventory.queries.units import converted, in_base
from inventory.services.units import UNITS
from tests.companies import Company
from tests.contracts.resources import assert_problem

CONVERT = "/api/v1/units-of-measure/convert/"

KNOWN = [
    UnitOfMeasure(organization_id=None, code=code, **{**usual._asdict(), "factor": Decimal(usual.factor)})
    for code, usual in UNITS.items()
]  # fmt: skip
pairs = st.sampled_from(KNOWN).flatmap(
    lambda one: st.tuples(st.just(one), st.sampled_from([unit for unit in KNOWN if unit.dimension == one.dimension])),
).filter(lambda pair: pair[0].dimension != "none")
quantities = st.decimals(min_value=-(10**12), max_value=10**12, places=6)


@given(pairs, quantities)
def test_there_and_back(pair: tuple[UnitOfMeasure, UnitOfMeasure], quantity: Decimal) -> None:
    """Exact where it says so; otherwise off by the declared rounding at most, seen from either end."""
    one, other = pair
    there = converted(quantity, one, other)
    half = Fraction(1, 2 * 10**other.rounding)
    true = Fraction(quantity) * in_base(one) / in_base(other)
    assert abs(Fraction(there.quantity) - true) <= half
    assert there.exact == (Fraction(there.quantity) == true)
    back = Fraction(there.quantity) * converted(Decimal(1), other, one).factor
    assert abs(back - Fraction(quantity)) <= half / there.factor
    assert not there.exact or back == Fraction(quantity)


@pytest.mark.parametrize(("quantity", "source", "target", "result", "exact"), [
    ("1", "INH", "MMT", "25.400", True), ("5", "LBR", "KGM", "2.268", False), ("16", "ONZ", "LBR", "1.000", True),
    ("128", "E34", "AD", "128000000000", True), ("1", "E62", "E34", "1.074", False), ("30", "C62", "DZN", "2.500", True),
    ("-0.5", "KGM", "GRM", "-500.000", True), ("1", "GLL", "LTR", "3.785", False), ("3000", "RPM", "HTZ", "50.000", True),
    ("7", "SET", "SET", "7", True), ("0.5", "C62", "C62", "1", False), ("1", "PS", "PAL", "6894.757", False),
])  # fmt: skip
def test_converts(quantity: str, source: str, target: str, result: str, exact: bool, acme: Company) -> None:
    answer = acme.api.get(CONVERT, {"quantity": quantity, "from": source, "to": target}).json()
    assert (answer["quantity"], answer["exact"], answer["unit"]) == (result, exact, target)


@pytest.mark.parametrize("query", [
    {"from": "KGM", "to": "GRM"}, {"quantity": "x", "from": "KGM", "to": "GRM"}, {"quantity": "1e9", "from": "KGM", "to": "GRM"},
    {"quantity": "1", "from": "NOPE", "to": "GRM"}, {"quantity": "1", "from": "KGM", "to": "MTR"},
    {"quantity": "1", "from": "SET", "to": "C62"}, {"quantity": "1", "from": "a\0b", "to": "C62"},
    {"quantity": "1", "from": "KGM", "to": "GRM", "x": "1"}, {"quantity": "9" * 40, "from": "KGM", "to": "GRM"},
])  # fmt: skip
def test_refuses_what_cannot_be_converted(query: dict[str, Any], acme: Company) -> None:
    assert_problem(acme.api.get(CONVERT, query), 400)


def test_a_new_organization_has_the_usual_units(acme: Company) -> None:
    with acme.scope():
        found = {unit.code: unit for unit in UnitOfMeasure.objects.filter(code__in=list(UNITS))}
    assert found.keys() == UNITS.keys()
    assert in_base(found["ONZ"]) == Fraction(28349523125, 10**12)
    assert found["E34"].symbol == "GB"


def test_units_of_one_dimension_are_told_apart() -> None:
    """An attribute's value names its unit by the symbol."""
    symbols = [unit.symbol for unit in KNOWN if unit.symbol]
    assert len(symbols) == len(set(symbols))
