"""Attributes by their codes, and values as people write them: "red", "128 GB", 230."""

import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from core.characters import CONTROL
from core.kept import Kept
from core.tenancy import active_organization_id
from inventory.database_catalog import MOST, NUMBER_KEY
from inventory.models import AttributeDefinition, UnitOfMeasure
from inventory.queries.attribute_owners import Key
from inventory.queries.units import fraction, in_base

DataType = AttributeDefinition.DataType

NUMBERS = (DataType.INTEGER, DataType.DECIMAL, DataType.MEASURE)
ORDERED = (*NUMBERS, DataType.DATE)
COLUMNS = {
    DataType.TEXT: "value_text", DataType.CHOICE: "value_text", DataType.BOOLEAN: "value_boolean", DataType.DATE: "value_date",
}
# Whether products have values of it, or variants alone; and the units of the dimension of its unit, whose numbers are text, which
# keeps their digits.
ASKED = Kept("attributes_asked", """
    SELECT d.id, d.code, d.name, d.data_type, d.unit_id, d.options, d.is_filterable, EXISTS (
        SELECT FROM inventory_productattributevalue AS a
        WHERE a.organization_id = d.organization_id AND a.variant_id IS NULL AND a.definition_id = d.id
    ), (
        SELECT json_agg(json_build_object(
            'id', u.id, 'code', u.code, 'symbol', u.symbol, 'name', u.name, 'dimension', u.dimension, 'factor', u.factor::text,
            'divisor', u.divisor::text))
        FROM inventory_unitofmeasure AS own
        JOIN inventory_unitofmeasure AS u ON u.organization_id = own.organization_id AND u.dimension = own.dimension
        WHERE own.organization_id = d.organization_id AND own.id = d.unit_id)
    FROM inventory_attributedefinition AS d WHERE d.organization_id = %s::uuid AND d.code = ANY (%s::varchar[])
""", gives="uuid varchar varchar varchar uuid varchar[] bool bool json")  # fmt: skip
UNIT_FIELDS = ("id", "code", "symbol", "name", "dimension", "factor", "divisor")
ASKED_FIELDS = ("id", "code", "name", "data_type", "unit_id", "options", "is_filterable")
# No unit begins as a number goes on: 0,5 kg and 1e3 g are no numbers with odd units.
NUMBER = re.compile(r"([+-]?[0-9]{1,13}(?:\.[0-9]{1,6})?)(?![0-9.,]|[eE][+-]?[0-9])\s*(.*)", re.ASCII | re.DOTALL)
WORDS = {"true": True, "yes": True, "false": False, "no": False}
LONGEST_TEXT = 400


type UnitRow = Mapping[str, Any]


class Parsed(NamedTuple):
    """A value for its column; of a measure with its unit."""

    column: str
    value: Any
    unit: UnitOfMeasure | None = None


@dataclass(frozen=True)
class Attributes:
    """The attributes of the organization by code, and its units once somebody measures: rows, of which few become a unit."""

    by_code: Mapping[str, AttributeDefinition]
    read_units: Sequence[UnitRow] | None = None
    of_variants: Set[str] = frozenset()  # codes of those of which no product has a value itself, as far as it is known

    @cached_property
    def units(self) -> Sequence[UnitRow]:
        return self.read_units if self.read_units is not None else list(UnitOfMeasure.objects.values(*UNIT_FIELDS))

    def named(self, code: str) -> AttributeDefinition:
        """Raises ValueError, which says what is known."""
        if code not in self.by_code:
            raise ValueError(f"Unknown attribute {code!r}. Known: {', '.join(self.by_code) or 'none'}.")
        return self.by_code[code]

    def parsed(self, definition: AttributeDefinition, given: Any) -> Parsed:
        """Of JSON or of text. Raises ValueError with a sentence about what is wrong."""
        kind = definition.data_type
        if kind in NUMBERS:
            return self._number(definition, given)
        if kind == DataType.BOOLEAN and isinstance(given, bool):
            return Parsed("value_boolean", given)
        if not isinstance(given, str):
            raise ValueError("Give true or false." if kind == DataType.BOOLEAN else "Give text in quotes.")
        return Parsed(COLUMNS[DataType(kind)], _of_text(definition, given.strip()))

    def _number(self, definition: AttributeDefinition, given: Any) -> Parsed:
        unit_name = ""
        if isinstance(given, Mapping) and set(given) <= {"number", "unit"} and isinstance(given.get("unit", ""), str):
            given, unit_name = given.get("number"), given.get("unit", "")
        if isinstance(given, bool) or not isinstance(given, str | int | float | Decimal):
            raise ValueError('Give a number, best as text, such as "12.5".')
        text = given.strip() if isinstance(given, str) else f"{Decimal(str(given)):f}" if _is_finite(given) else "?"
        found = NUMBER.fullmatch(text)
        if found is None or (unit_name and found[2]):  # which would name two units
            raise ValueError('Give a number, with at most 13 digits before the point and 6 after it, such as "12.5".')
        number, unit_name = Decimal(found[1]), unit_name or found[2]
        if definition.data_type != DataType.MEASURE:
            if unit_name:
                raise ValueError(f"{definition.name} is a number without a unit.")
            if definition.data_type == DataType.INTEGER and number != number.to_integral_value():
                raise ValueError("Give a whole number.")
            return Parsed("value_number", number)
        return Parsed("value_number", number, self._unit(definition, unit_name.strip()))

    def _unit(self, definition: AttributeDefinition, name: str) -> UnitOfMeasure:
        """By code or symbol; in any case of letters, where that is clear."""
        own = next(unit for unit in self.units if str(unit["id"]) == str(definition.unit_id))
        if not name:
            return _unit_of(own)
        is_alone = own["dimension"] == UnitOfMeasure.Dimension.NONE
        known = [own] if is_alone else [one for one in self.units if one["dimension"] == own["dimension"]]
        folded = name.casefold()
        for found in (
            [one for one in known if one["code"] == name],
            [one for one in known if one["symbol"] == name],
            [one for one in known if folded in (one["code"].casefold(), one["symbol"].casefold(), one["name"].casefold())],
        ):
            if len(found) == 1:
                return _unit_of(found[0])
        listed = ", ".join(sorted({one["symbol"] or one["code"] for one in known}))
        raise ValueError(f"Unknown unit {name!r} of {definition.name}. Known: {listed}.")


def attributes(codes: Iterable[str] | None = None) -> Attributes:
    found = AttributeDefinition.objects.order_by("position", "code")
    return Attributes({one.code: one for one in (found if codes is None else found.filter(code__in=list(codes)))})


def attributes_with_units(codes: Set[str]) -> Attributes:
    """Those of the codes, and the units in which they are measured, in one statement; all attributes, where one is unknown."""
    with connection.cursor() as cursor:
        ASKED(cursor, [active_organization_id(), list(codes)])
        rows = cursor.fetchall()
    found = [AttributeDefinition(**dict(zip(ASKED_FIELDS, row, strict=False))) for row in rows]
    if len(found) < len(codes):
        return attributes()
    units = {unit["id"]: unit for *_, measured_in in rows for unit in measured_in or ()}
    alone = {one.code for one, (*_, is_of_products, _) in zip(found, rows, strict=True) if not is_of_products}
    return Attributes({one.code: one for one in found}, list(units.values()), alone)


def _unit_of(row: UnitRow) -> UnitOfMeasure:
    return UnitOfMeasure(**{**row, "id": UUID(str(row["id"])), "factor": Decimal(row["factor"]), "divisor": int(row["divisor"])})


def key_of(parsed: Parsed) -> Key:
    """That the database gives such a value. Raises ValueError for what is too much."""
    if isinstance(parsed.value, bool):
        return Key("%s", [str(parsed.value).lower()])
    if isinstance(parsed.value, Decimal):
        factor, divisor = (parsed.unit.factor, parsed.unit.divisor) if parsed.unit else (Decimal(1), 1)
        if parsed.unit and abs(fraction(parsed.value)) * in_base(parsed.unit) >= MOST:
            raise ValueError("This is too much to be compared with anything.")
        return Key(NUMBER_KEY.format("%s::numeric * %s::numeric / %s::numeric"), [parsed.value, factor, divisor])
    if isinstance(parsed.value, date):
        return Key("%s", [parsed.value.isoformat()])
    return Key("lower(%s)", [parsed.value])


def values_of(*, product_id: Any = None, variant_id: Any = None) -> dict[str, Any]:
    """Code and value of what a product or a variant itself has, as JSON has them."""
    owner = ("a.product_id = %s AND a.variant_id IS NULL", product_id) if product_id else ("a.variant_id = %s", variant_id)
    with connection.cursor() as cursor:
        cursor.execute(f"""
            SELECT d.code, d.data_type, a.value_text, a.value_number, a.value_boolean, a.value_date,
                   COALESCE(NULLIF(u.symbol, ''), u.code)
            FROM inventory_productattributevalue AS a
            JOIN inventory_attributedefinition AS d ON d.organization_id = a.organization_id AND d.id = a.definition_id
            LEFT JOIN inventory_unitofmeasure AS u ON u.organization_id = a.organization_id AND u.id = a.unit_id
            WHERE a.organization_id = %s AND {owner[0]} ORDER BY d.position, d.code
        """, [active_organization_id(), owner[1]])
        return {code: _as_json(*rest) for code, *rest in cursor.fetchall()}


def _as_json(
    kind: str, text: str | None, number: Decimal | None, boolean: bool | None, day: date | None, unit: str | None,
) -> Any:
    if number is not None:
        plain = f"{number.normalize():f}"
        return {"number": plain, "unit": unit} if kind == DataType.MEASURE else plain
    return boolean if boolean is not None else text or (day and day.isoformat())


def _is_finite(number: int | float | Decimal) -> bool:
    try:
        return Decimal(str(number)).is_finite()
    except InvalidOperation:
        return False


def _of_text(definition: AttributeDefinition, text: str) -> Any:
    if definition.data_type == DataType.BOOLEAN:
        if text.lower() not in WORDS:
            raise ValueError("Give true or false.")
        return WORDS[text.lower()]
    if definition.data_type == DataType.DATE:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise ValueError("Give a day, such as 2026-01-31.") from None
    if not text or len(text) > LONGEST_TEXT or CONTROL.search(text):
        raise ValueError(f"Give text of 1 to {LONGEST_TEXT} characters, on one line.")
    if definition.data_type == DataType.CHOICE:
        options = [one for one in definition.options if one == text] or [
            one for one in definition.options if one.casefold() == text.casefold()
        ]
        if len(options) != 1:
            raise ValueError(f"Give one of {', '.join(definition.options)}.")
        return options[0]
    return text
