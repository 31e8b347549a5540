"""Which vehicles the parts of the demo fit."""

from decimal import Decimal
from pathlib import Path

from core.csv_kinds import INTEGER, TEXT
from core.dirty_csv import Column, UnreadableTable, read_table
from inventory.models import ProductVariant
from inventory.services.fitment import Place, Span, fitments_set

COLUMNS = (
    Column("sku", TEXT, required=True),
    Column("make", TEXT, required=True),
    Column("model", TEXT, required=True),
    Column("year_from", INTEGER, required=True),
    Column("year_to", INTEGER, required=True),
    Column("position", TEXT),
    Column("quantity", INTEGER, required=True),
)


def fitments_create(*, file: Path) -> None:
    """For parts and vehicle models of the active organization that are there already. Raises UnreadableTable."""
    reading = read_table(file, COLUMNS)
    if reading.problems:
        raise UnreadableTable(f"The demo's data is damaged: {reading.problems[0]}")
    variants = dict(ProductVariant.objects.values_list("sku", "pk"))
    for row in reading.rows:
        span = Span(
            row.get("make", str), row.get("model", str), year_from=row.get("year_from", int), year_to=row.get("year_to", int),
        )
        place = Place(row.find("position", str) or "", Decimal(row.get("quantity", int)))
        fitments_set(variant_id=variants[row.get("sku", str)], spans=[span], place=place)
