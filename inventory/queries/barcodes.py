"""What a scanned text is: one statement looks at everything that carries a code."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection

from core.codes import PLACE, WITHIN, Source, declared
from core.errors import NotFound
from core.limits import Holder, reach
from core.tenancy import active_organization_id
from inventory.gs1.digits import GTIN, as_gtin14, is_digits, is_gtin, upce_to_upca, wrong_digit
from inventory.gs1.elements import PREFIXES, Elements, emit_bracketed
from inventory.gs1.errors import GS1Error
from inventory.gs1.identifiers import TABLE
from inventory.gs1.links import is_link
from inventory.gs1.meaning import Goods, goods, read, says_gs1

LONGEST = 2_000  # characters of a scan
AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")


VARIANT = "SELECT '{0}', {1}, {2}, v.id, {3}, {4} FROM {5} JOIN inventory_productvariant AS v" \
    " ON v.organization_id = c.organization_id AND v.id = c.variant_id WHERE c.organization_id = %(organization)s AND {6}"

SOURCES = (
    Source("barcode", "inventory.view_productbarcode", VARIANT.format(
        "barcode", 1, "c.id", "c.quantity", "c.value", "inventory_productbarcode AS c",
        "(c.gtin = ANY (%(gtins)s) OR c.value_key = ANY (%(keys)s))",
    )),
    Source("sku", "inventory.view_productvariant",
        "SELECT 'sku', 2, v.id, v.id, 1::numeric, v.sku FROM inventory_productvariant AS v"
        " WHERE v.organization_id = %(organization)s AND v.sku_key = ANY (%(keys)s)",
    ),
    Source("location", "inventory.view_location", PLACE.format(
        "location", 3, "c.code", "inventory_location AS c",
        f"(c.code_key = ANY (%(keys)s) OR c.barcode <> '' AND c.barcode = ANY (%(texts)s)) AND {WITHIN.format('c.warehouse_id')}",
    )),
    Source("warehouse", "inventory.view_warehouse", PLACE.format(
        "warehouse", 4, "c.name", "inventory_warehouse AS c",
        f"(c.code_key = ANY (%(keys)s) OR c.gln <> '' AND c.gln = ANY (%(glns)s)) AND {WITHIN.format('c.id')}",
    )),
    Source("supplier_sku", "inventory.view_supplierproduct", VARIANT.format(
        "supplier_sku", 5, "c.id", "c.pack_size", "c.supplier_sku", "inventory_supplierproduct AS c",
        "c.supplier_sku = ANY (%(texts)s)",
    )),
    Source("lot", "inventory.view_lot", VARIANT.format(
        "lot", 6, "c.id", "NULL::numeric", "c.code", "inventory_lot AS c",
        "c.code_key = ANY (%(keys)s::text[] || %(lots)s::text[]) AND (c.code_key = ANY (%(keys)s) OR c.variant_id IN ("
        "SELECT b.variant_id FROM inventory_productbarcode AS b"
        " WHERE b.organization_id = %(organization)s AND b.gtin = ANY (%(gtins)s)))",
    )),
    Source("logistic_unit", "inventory.view_logisticunit",
        "SELECT 'logistic_unit', 7, c.id, NULL::uuid, NULL::numeric, c.sscc FROM inventory_logisticunit AS c"
        " LEFT JOIN inventory_location AS l ON l.organization_id = c.organization_id AND l.id = c.location_id"
        " WHERE c.organization_id = %(organization)s AND c.sscc = ANY (%(ssccs)s) AND "
        + WITHIN.format("l.warehouse_id"),
    ),
    Source("transfer_order", "inventory.view_transferorder", PLACE.format(
        "transfer_order", 8, "c.number", "inventory_transferorder AS c",
        f"c.number_key = ANY (%(keys)s) AND ({WITHIN.format('c.source_id')} OR {WITHIN.format('c.destination_id')})",
    )),
    *declared(),
)  # fmt: skip

FOUND = """
    SELECT f.kind, f.id, f.quantity, f.title, v.id, v.sku, v.name, p.id, p.name, p.tracking, w.code
    FROM ({0}) AS f (kind, place, id, variant_id, quantity, title)
    LEFT JOIN inventory_productvariant AS v ON v.organization_id = %(organization)s AND v.id = f.variant_id
    LEFT JOIN inventory_product AS p ON p.organization_id = %(organization)s AND p.id = v.product_id
    LEFT JOIN inventory_location AS l ON l.organization_id = %(organization)s AND l.id = f.id AND f.kind = 'location'
    LEFT JOIN inventory_warehouse AS w ON w.organization_id = %(organization)s AND w.id = l.warehouse_id
    ORDER BY f.place, f.title, w.code, f.id LIMIT 50
"""


@dataclass(frozen=True, slots=True)
class Match:
    """`quantity` is how many base units the code stands for; a place has neither a quantity nor a variant. `warehouse` is the
    code of that of a location."""

    kind: str
    id: UUID
    quantity: Decimal | None
    title: str
    variant: UUID | None
    sku: str | None
    name: str | None
    product: UUID | None
    product_name: str | None
    tracking: str | None
    warehouse: str | None


@dataclass(frozen=True, slots=True)
class Reading:
    """A scan as GS1 reads it."""

    elements: Elements
    goods: Goods

    def as_json(self) -> dict[str, Any]:
        listed = [{"ai": ai, "title": TABLE[ai].title, "value": value} for ai, value in self.elements]
        return {"elements": listed, "text": _bracketed(self.elements), **asdict(self.goods)}


@dataclass(frozen=True, slots=True)
class Scan:
    text: str
    reading: Reading | None
    matches: list[Match] = field(default_factory=list)


class UnknownCode(NotFound):
    """Nothing here carries the code; `extra` says what it holds all the same."""

    code = "unknown_code"

    def __init__(self, detail: str, reading: Reading | None) -> None:
        super().__init__(detail)
        self.extra = {"gs1": reading and reading.as_json()}


def scan_resolve(*, text: str, holder: Holder, today: date) -> Scan:
    """What the text is, as far as the holder may see it: all candidates, the likeliest first. Raises UnknownCode."""
    plain = _without_prefix(text.strip(" \t\r\n"))
    try:
        reading = _reading(plain, today)
        trouble = ""
    except GS1Error as error:
        reading, trouble = None, str(error)
    sources = [source for source in SOURCES if source.permission in holder.permissions]
    parameters = _parameters(plain, reading)
    matches = _matches(sources, holder, parameters) if sources else []
    if not matches:
        raise UnknownCode(_tried(plain, reading, trouble, sources), reading)
    return Scan(text, reading, matches)


def _without_prefix(text: str) -> str:
    """Scanners that say which symbol they read say so before a plain code too: ]E0 for an EAN-13."""
    return text[3:] if AIM.match(text) and not text.startswith(PREFIXES) else text


def _reading(text: str, today: date) -> Reading | None:
    """None where the text does not look like GS1. Raises GS1Error where it says it is, and is not: as a link, by its key."""
    try:
        elements = read(text)
    except GS1Error as error:
        if says_gs1(text) or (is_link(text) and error.ai):
            raise
        return None
    if not says_gs1(text) and not TABLE[elements[0].ai].checked:
        return None  # without a number that is proved by its check digit, SKU 21A is not serial number A
    return Reading(elements, goods(elements, today))


def _parameters(text: str, reading: Reading | None) -> dict[str, Any]:
    """A symbol of GS1 means what it holds, not its own letters; a bare one may also be a code that looks like it."""
    numbers = [text] if is_gtin(text) else []
    if expanded := upce_to_upca(text):
        numbers.append(expanded)
    found = reading.goods if reading else Goods()
    numbers += [number for number in (found.gtin, found.content) if number]
    part = [found.customer_part] if found.customer_part else []
    texts = [*([] if reading and says_gs1(text) else [text]), *part]
    return {
        "organization": active_organization_id(), "gtins": [as_gtin14(number) for number in numbers], "texts": texts,
        "keys": [one.lower() for one in texts], "glns": [found.gln] if found.gln else [text],
        "ssccs": [found.sscc] if found.sscc else [text],
        "lots": [lot.lower() for lot in (found.lot, found.serial) if lot],
    }


def _matches(sources: Sequence[Source], holder: Holder, parameters: Mapping[str, Any]) -> list[Match]:
    parts, values = [], dict(parameters)
    for source in sources:
        warehouses = reach(holder, source.permission)
        values[f"in_{source.kind}"] = None if warehouses is None else list(warehouses)
        parts.append(source.sql.replace("%(warehouses)s", f"%(in_{source.kind})s"))
    with connection.cursor() as cursor:
        cursor.execute(FOUND.format(" UNION ALL ".join(parts)), values)
        return [Match(*row) for row in cursor.fetchall()]


def _tried(text: str, reading: Reading | None, trouble: str, sources: Collection[Source]) -> str:
    """What was looked for, in words; and what is wrong with a number that nearly is one."""
    looked = ", ".join(source.kind.replace("_", " ").replace("sku", "SKU") for source in sources) or "nothing that you may see"
    if reading and (says_gs1(text) or not is_digits(text)):
        held = _bracketed(reading.elements) or "GS1"
        return f"Nothing here has the code {held}. Looked for as: {looked}."
    hint = ""
    if trouble:
        hint = f" As GS1 it cannot be read: {trouble}"
    elif is_digits(text) and len(text) in (8, 12, 13, GTIN) and not is_gtin(text):
        hint = f" {wrong_digit(text)} Was it read whole?"
    return f"Nothing here has the code {text[:100]!r}. Looked for as: {looked}.{hint}"


def _bracketed(elements: Elements) -> str:
    try:
        return emit_bracketed(elements)
    except GS1Error:  # a value with brackets in it
        return ""
