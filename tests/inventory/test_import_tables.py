"""Tables of any shape, as a mapping says."""

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from accounts.models import Party
from inventory.models import Category, Product, ProductVariant, Supplier, SupplierProduct, UnitOfMeasure
from tests.companies import Company
from tests.inventory.test_import_northwind import state

pytestmark = pytest.mark.django_db(databases=["default", "worker"])  # a command finds an organization as the worker

GUIDE = Path(settings.BASE_DIR) / "docs" / "guide" / "importing-older-tables.md"
GOODS = """
[[table]]
files = ["goods.json"]
into = "products"
[table.columns]
external_ref = "good:{sku}"
name = "title"
base_unit = { value = "C62", by = "code" }
[[table]]
files = ["goods.json"]
into = "product-variants"
key = ["sku"]
[table.columns]
sku = "sku"
name = "title"
product = { from = "good:{sku}", by = "external_ref" }
standard_cost = "price.amount"
shelf_life_days = "days"
is_kit = "kit"
[[table]]
files = ["goods.json"]
where = { kind = ["bought", "both"] }
each = "offers"
into = "supplier-products"
key = ["supplier", "supplier_sku"]
[table.columns]
supplier = { from = "each.of", by = "code" }
supplier_sku = "each.sku"
variant = { from = "sku", by = "sku" }
"""
OFFERS = [{"of": "PADS", "sku": "9"}, {"of": "PADS", "sku": "10"}]
ROWS: list[dict[str, Any]] = [
    {"sku": "A", "title": "Pad", "kind": "both", "price": {"amount": 18.9}, "days": "30", "kit": "no", "offers": OFFERS},
    {"sku": "B", "title": "Kit", "kind": "made", "kit": True, "offers": OFFERS},
]


@pytest.fixture
def company(acme: Company) -> Company:
    with acme.scope():
        Supplier.objects.create(party=Party.objects.create(name="Pads & Co"), code="PADS")
    return acme


def load(company: Company, folder: Path, mapping: str = GOODS, rows: list[Any] | None = None, **options: Any) -> tuple[int, str]:
    """The exit code and what was said."""
    (folder / "mapping.toml").write_text(mapping)
    (folder / "goods.json").write_text("\n".join(json.dumps(row) for row in (ROWS if rows is None else rows)))
    return run(company, folder, **options)


def run(company: Company, folder: Path, **options: Any) -> tuple[int, str]:
    said = StringIO()
    try:
        mapping = str(folder / "mapping.toml")
        call_command("import_tables", mapping, organization=company.organization.slug, stdout=said, **options)
    except SystemExit as error:
        return int(error.code or 0), said.getvalue()
    return 0, said.getvalue()


def test_the_example_of_the_guide_goes_in_and_a_second_run_changes_nothing(acme: Company, tmp_path: Path) -> None:
    text = GUIDE.read_text()
    for kind, name in (("toml", "mapping.toml"), ("json", "app-table.jsonl")):
        [block] = re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)
        (tmp_path / name).write_text(block)
    with acme.scope():
        before = state(acme)
    assert run(acme, tmp_path, dry_run=True)[0] == 0 and state(acme) == before
    code, said = run(acme, tmp_path)
    assert code == 0, said
    with acme.scope():
        suppliers = Supplier.objects.order_by("code").values_list(
            "code", "party__name", "party__kind", "currency", "lead_time_days", "status",
        )
        assert list(suppliers) == [
            ("S-1", "Pads & Co", "organization", "USD", 7, "active"), ("S-2", "Wipers Ltd", "organization", "EUR", 0, "blocked"),
        ]
        assert Category.objects.get(slug="pads").parent == Category.objects.get(slug="brakes"), "which comes after it"
    after = state(acme)
    assert run(acme, tmp_path)[0] == 0 and state(acme) == after


def test_rows_are_found_by_their_own_names_and_follow_the_file(company: Company, tmp_path: Path) -> None:
    code, said = load(company, tmp_path)
    assert code == 0, said
    with company.scope():
        pad = ProductVariant.objects.get(sku="A")
        assert (str(pad.standard_cost), pad.shelf_life_days, pad.is_kit) == ("18.900000", 30, False)
        assert list(SupplierProduct.objects.order_by("supplier_sku").values_list("variant__sku", "supplier_sku")) == [
            ("A", "10"), ("A", "9"),
        ]
        ProductVariant.objects.filter(pk=pad.pk).update(weight=2)
    code, said = load(company, tmp_path, rows=[{**ROWS[0], "price": {"amount": "20"}}, ROWS[1]])
    assert code == 0 and re.search(r"product-variants +0 +1 +1\n", said), said
    with company.scope():
        pad.refresh_from_db()
        assert (pad.standard_cost, pad.weight) == (20, 2)


def test_a_record_that_cannot_be_is_left_out_alone(company: Company, tmp_path: Path) -> None:
    with company.scope():
        base = UnitOfMeasure.objects.get(code="C62")
        gone = Product.objects.create(name="Gone", external_ref="good:C", base_unit=base, archived_at="2026-01-01T00:00:00Z")
    code, said = load(company, tmp_path, rows=[
        ROWS[0], {**ROWS[0], "title": "Twice"}, {"sku": "C", "title": "Gone"}, {"sku": "D", "title": "X" * 300}, {"title": "No"},
        {**ROWS[0], "sku": "E", "kit": "perhaps"}, {**ROWS[0], "sku": "F", "offers": [{"of": "NOBODY", "sku": "1"}]},
    ])  # fmt: skip
    assert code == 1
    for line in (
        "line 2: an earlier record is about the same row", f"line 3: the row is archived: restore {gone.pk} first",
        "line 4, title: ", "line 5, good:{sku}: a value is required", "line 4, good:{sku}: there is no product whose",
        "line 6, kit: 'perhaps' is neither true nor false",
        "line 7, offers/0, each.of: there is no supplier whose code is 'NOBODY'",
    ):
        assert f"goods.json, {line}" in said, said
    with company.scope():
        assert list(ProductVariant.objects.order_by("sku").values_list("sku", flat=True)) == ["A", "F"]


@pytest.mark.parametrize(("old", "new", "says"), [
    ('into = "products"', 'into = "produce"', "Known: addresses"), ('into = "products"', 'into = "lots"', "not made in bulk"),
    ('name = "title"', 'nam = "title"', "Known: base_unit"), ('name = "title"', 'name = { fro = "title" }', "unknown 'fro'"),
    ('name = "title"', 'name = { from = "title", by = "code" }', "leave `by` out"), ('by = "code"', 'by = "cod"', "Known: code"),
    ('external_ref = "good:{sku}"', "", "finds a row again"), ('files = ["goods.json"]', "files = []", "name its `files`"),
    ("\n[[table]]", "\n[[tabel]]\n[[table]]", "write a [[table]]"), ("[[table]]", "[[table", "is not TOML"),
])  # fmt: skip
def test_a_mapping_that_cannot_be_says_what_is_known(company: Company, tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(CommandError) as raised:
        load(company, tmp_path, GOODS.replace(old, new, 1))
    assert raised.value.returncode == 2
    assert "Nothing was imported" in str(raised.value) and says in str(raised.value)
