import shutil
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Address, AuditEntry, Contact, Party
from core.models import TenantModel
from inventory.models import (
    Category,
    Location,
    Product,
    ProductVariant,
    ReorderRule,
    ReorderTask,
    StockItem,
    StockMove,
    Supplier,
    SupplierProduct,
    UnitOfMeasure,
)
from inventory.services.posting import Line
from inventory.services.replenishment import reorder_check
from inventory.services.stock import stock_issue
from notifications.models import OutboxEvent
from orders.models import SalesOrder
from orders.services.sales_orders import sales_order_cancel
from tests.companies import Company

pytestmark = [
    pytest.mark.django_db(databases=["default", "worker"]),  # a command finds an organization as the worker
    pytest.mark.once,
]

NORTHWIND = Path(__file__).parents[2] / "demo" / "northwind"
LAST_ORDER = 11077  # of 830
CHAI = "1,Chai,1,1,10 boxes x 20 bags,18.00,39,0,10,0"


@pytest.fixture(scope="session")
def goods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files as they are, with the last 160 orders alone: what is tested here is the goods."""
    folder = Path(shutil.copytree(NORTHWIND, tmp_path_factory.mktemp("few") / "northwind"))
    for file in ("orders.csv", "order-details.csv"):
        head, *rows = (folder / file).read_text(encoding="utf-8").splitlines(keepends=True)
        last = [row for row in rows if int(row.split(",")[0]) > LAST_ORDER - 160]
        (folder / file).write_text("".join([head, *last]), encoding="utf-8")
    return folder


@pytest.fixture
def folder(goods: Path, tmp_path: Path) -> Path:
    """To change."""
    return Path(shutil.copytree(goods, tmp_path / "northwind"))


def load(company: Company, folder: Path, **options: Any) -> tuple[int, str]:
    """The exit code and what was said."""
    said = StringIO()
    try:
        call_command("import_northwind", str(folder), organization=company.organization.slug, stdout=said, **options)
    except SystemExit as error:
        return int(error.code or 0), said.getvalue()
    return 0, said.getvalue()


def edit(folder: Path, file: str, before: str, after: str) -> None:
    text = (folder / file).read_text(encoding="utf-8")
    assert text.count(before) == 1
    (folder / file).write_text(text.replace(before, after), encoding="utf-8")


def state(company: Company) -> dict[str, Any]:
    """Every row with its version, and how much was written at all."""
    with company.scope():
        audited = [
            model for model in apps.get_models()
            if issubclass(model, TenantModel) and model._meta.app_label in ("inventory", "accounts")
        ]
        found: dict[str, Any] = {
            model.__name__: sorted(model.objects.values_list("pk", "version", "updated_at")) for model in audited
        }
        for model in (AuditEntry, StockMove, OutboxEvent):
            found[model.__name__] = model.objects.count()
    return found


def stock(sku: str) -> Decimal:
    return Decimal(StockItem.objects.get(variant__sku=sku).quantity)


def test_all_of_it_goes_in(acme: Company) -> None:
    code, said = load(acme, NORTHWIND)

    assert code == 0
    with acme.scope():
        counts = {model: model.objects.count() for model in (
            Category, Supplier, Party, Product, ProductVariant, SupplierProduct, ReorderRule, StockItem, StockMove,
        )}
        assert counts == {
            Category: 8, Supplier: 29, Party: 29 + 91 + 3, Product: 77, ProductVariant: 77, SupplierProduct: 77,
            ReorderRule: 77, StockItem: 72, StockMove: 72,
        }
        assert Product.objects.filter(status=Product.Status.DISCONTINUED).count() == 8
        assert sum(StockItem.objects.values_list("quantity", flat=True)) == 3119
    assert said.count(".csv, line ") == 9 + 24 + 176
    assert "suppliers.csv, line 8: read companyName as 'Pavlova, Ltd.', because a value neither begins" in said
    assert "9 employees" in said
    assert "standard cost" in said


def test_a_product_a_supplier_and_a_customer(acme: Company, goods: Path) -> None:
    load(acme, goods)

    with acme.scope():
        chai = ProductVariant.objects.select_related("product__category", "product__base_unit").get(sku="NW-0001")
        assert (chai.name, chai.standard_cost, chai.external_ref) == ("Chai", 18, "product:1")
        assert (chai.product.category.name, chai.product.base_unit.code) == ("Beverages", "C62")
        assert chai.product.description == "10 boxes x 20 bags"
        offer = chai.supplier_products.select_related("supplier__party").get()
        assert (offer.is_preferred, offer.last_price, offer.supplier.code) == (True, None, "S001")
        assert offer.supplier.party.name == "Exotic Liquids"

        pavlova = Party.objects.get(external_ref="supplier:7")
        assert (pavlova.name, pavlova.addresses.get().country) == ("Pavlova, Ltd.", "AU")
        assert Party.objects.get(external_ref="supplier:6").website.startswith("http://www.microsoft.com/")

        customer = Party.objects.get(external_ref="customer:ALFKI")
        contact, address = customer.contacts.get(), customer.addresses.get()
        assert (contact.name, contact.position) == ("Maria Anders", "Sales Representative")
        assert (address.street1, address.country) == ("Obere Str. 57", "DE")
        assert Contact.objects.get(party__external_ref="shipper:1").phone == "(503) 555-9831"


def test_the_check_finds_18_to_reorder_and_no_discontinued_ones(acme: Company, goods: Path) -> None:
    load(acme, goods)

    with acme.scope():
        assert reorder_check() == 18
        assert reorder_check() == 0
        tasks = ReorderTask.objects.select_related("variant__product", "supplier")
        assert {task.variant.product.status for task in tasks} == {Product.Status.ACTIVE}
        assert all(task.triggered_quantity <= task.threshold and task.supplier for task in tasks)
        assert ReorderRule.objects.filter(is_low=True).count() == 22


def test_the_invariants_hold(acme: Company, goods: Path) -> None:
    load(acme, goods)

    said = StringIO()
    call_command("verify", organization=acme.organization.slug, stdout=said)
    assert "ok" in said.getvalue() and "FAIL" not in said.getvalue()


def test_another_organization_sees_none_of_it(acme: Company, goods: Path, bolt: Company) -> None:
    load(acme, goods)

    with bolt.scope():
        assert not Product.objects.exists()
        assert not Party.objects.exists()


def test_a_second_run_changes_nothing(acme: Company, goods: Path) -> None:
    load(acme, goods)
    before = state(acme)

    code, said = load(acme, goods)

    assert code == 0
    assert state(acme) == before
    table = said[said.index("into "):said.index("Repaired")].split("\n")[1:]
    assert [line.split()[-3:-1] for line in table if line] == [["0", "0"]] * 13


def test_a_changed_file_changes_what_it_says_and_no_more(acme: Company, folder: Path) -> None:
    load(acme, folder)
    before = state(acme)
    edit(folder, "products.csv", CHAI, "1,Chai,2,1,10 boxes x 20 bags,19.50,44,0,12,0")
    edit(folder, "customers.csv", "Maria Anders", "Maria Andersson")

    load(acme, folder)

    with acme.scope():
        chai = ProductVariant.objects.get(sku="NW-0001")
        assert (chai.standard_cost, stock("NW-0001")) == (Decimal("19.5"), 44)
        assert chai.supplier_products.get().supplier.code == "S002"
        assert ReorderRule.objects.get(variant=chai).min_quantity == 12
        assert Contact.objects.get(party__external_ref="customer:ALFKI").name == "Maria Andersson"
    after = state(acme)
    differing = {name: len(set(rows) - set(before[name])) for name, rows in after.items() if isinstance(rows, list)}
    assert {name for name, count in differing.items() if count} == {
        "ProductVariant", "SupplierProduct", "ReorderRule", "StockItem", "Contact",
    }
    assert set(differing.values()) == {0, 1}
    assert after["StockMove"] == before["StockMove"] + 1


def cancel_open_orders() -> None:
    """Their goods are anybody's again."""
    for order in SalesOrder.objects.exclude(status__in=SalesOrder.OVER):
        sales_order_cancel(order=order)


def test_what_people_changed_beyond_the_files_stays(acme: Company, goods: Path) -> None:
    load(acme, goods)
    with acme.scope():
        cancel_open_orders()
        variant = ProductVariant.objects.get(sku="NW-0001")
        ProductVariant.objects.filter(pk=variant.pk).update(sku="TEA-1")
        ReorderRule.objects.filter(variant=variant).update(basis=ReorderRule.Basis.PROJECTED)
        location = Location.objects.get(code="STOCK")
        stock_issue(lines=[Line(variant.pk, Decimal(9), from_location_id=location.pk)])
    before = state(acme)

    load(acme, goods)

    assert state(acme) == before
    with acme.scope():
        assert stock("TEA-1") == 30
        assert ReorderRule.objects.get(variant=variant).basis == ReorderRule.Basis.PROJECTED


def test_opening_stock_that_is_gone_cannot_be_taken_back(acme: Company, folder: Path) -> None:
    load(acme, folder)
    with acme.scope():
        cancel_open_orders()
        variant, location = ProductVariant.objects.get(sku="NW-0001"), Location.objects.get(code="STOCK")
        stock_issue(lines=[Line(variant.pk, Decimal(30), from_location_id=location.pk)])
    edit(folder, "products.csv", "18.00,39,0,10,0", "18.00,20,0,10,0")
    edit(folder, "products.csv", "2,Chang,1,1,24 - 12 oz bottles,19.00,17,", "2,Chang,1,1,24 - 12 oz bottles,19.00,15,")

    code, said = load(acme, folder)

    assert code == 1
    assert "products.csv, line 2, column unitsInStock: 20 is less than what has left since." in said
    with acme.scope():
        assert (stock("NW-0001"), stock("NW-0002")) == (9, 15)


def test_an_unreadable_row_is_left_out_and_goes_in_once_it_is_mended(acme: Company, goods: Path, folder: Path) -> None:
    edit(folder, "products.csv", CHAI, CHAI.replace("18.00", "cheap"))

    code, said = load(acme, folder)

    assert code == 1
    assert "products.csv, line 2, column unitPrice: 'cheap' is not a decimal number such as 14.50." in said
    with acme.scope():
        assert ProductVariant.objects.count() == 76

    code, _ = load(acme, goods)

    assert code == 0
    with acme.scope():
        assert stock("NW-0001") == 39
        assert StockMove.objects.count() == 72


def test_a_product_goes_in_without_the_supplier_that_was_left_out(acme: Company, goods: Path, folder: Path) -> None:
    edit(folder, "suppliers.csv", "\n1,Exotic Liquids", "\none,Exotic Liquids")

    code, said = load(acme, folder)

    assert code == 1
    assert "suppliers.csv, line 2, column supplierID: 'one' is not a whole number." in said
    assert said.count("column supplierID: there is no supplier 1, so the product goes in without one.") == 3
    with acme.scope():
        assert (Supplier.objects.count(), Product.objects.count(), SupplierProduct.objects.count()) == (28, 77, 74)
        assert stock("NW-0001") == 39

    load(acme, goods)

    with acme.scope():
        assert SupplierProduct.objects.filter(is_preferred=True).count() == 77


OF_CHAI, OF_ANATR = 10, 1  # lines of the last orders, and orders


@pytest.mark.parametrize(
    ("file", "before", "after", "complaint", "orders"),
    [
        ("customers.csv", "12209,Germany", "12209,Atlantis", "line 2, column country: 'Atlantis' is no country", 0),
        ("customers.csv", "12209,Germany", "12209,NULL", "line 2, column country: a value is required", 0),
        ("customers.csv", "Obere Str. 57", "NULL", "line 2, column address: This field cannot be blank.", 0),
        ("customers.csv", "Maria Anders", "x" * 151, "line 2, column contactName: Ensure this value has at most 150", 0),
        ("customers.csv", "ANATR,", "ALFKI,", "line 3, column customerID: line 2 is about the same.", OF_ANATR),
        ("products.csv", "18.00,39,0,10,0", "18.00,-39,0,10,0", "line 2, column unitsInStock: -39 is less than", OF_CHAI),
        ("products.csv", "18.00,39,0,10,0", f"18.00,39,0,{'9' * 15},0", "line 2, column reorderLevel: 999999999999999", OF_CHAI),
        ("products.csv", "18.00,39", "18.0000001,39", "line 2, column unitPrice: Ensure that there are no more than 6", OF_CHAI),
        ("products.csv", "1,Chai,1,1,", "1,Chai,1,99,", "line 2, column categoryID: there is no category 99", 0),
    ],
)
def test_what_is_wrong_with_one_row_keeps_no_other_out(
    acme: Company, folder: Path, file: str, before: str, after: str, complaint: str, orders: int,
) -> None:
    edit(folder, file, before, after)

    code, said = load(acme, folder)

    assert code == 1
    said = said[said.index("Left out:"):said.index("Of the 9 employees")]
    assert f"  {file}, {complaint}" in said
    assert said.count("\n  ") == 1 + orders, "one row, and the orders that need it"
    assert said.count(f"\n  {file},") == 1
    with acme.scope():
        assert ProductVariant.objects.filter(sku="NW-0077").exists()
        assert Party.objects.filter(external_ref="customer:WOLZA").exists()
        assert Address.objects.count() >= 119


def test_a_dry_run_reports_the_same_and_writes_nothing(acme: Company, goods: Path) -> None:
    before = state(acme)

    code, said = load(acme, goods, dry_run=True)

    assert code == 0
    assert state(acme) == before
    _, really = load(acme, goods)
    assert said == really + "This was a dry run: nothing was written.\n"


def test_a_row_of_somebodys_own_stops_it_whole(acme: Company, goods: Path) -> None:
    with acme.scope():
        unit = UnitOfMeasure.objects.get(code="KGM")
        own = Product.objects.create(name="Own", base_unit=unit)
        ProductVariant.objects.create(product=own, sku="NW-0001", name="Own")
    before = state(acme)

    with pytest.raises(CommandError, match=r"Nothing was imported\. Another variant has this sku already\.") as refusal:
        load(acme, goods)

    assert refusal.value.returncode == 2
    assert state(acme) == before


def test_bad_usage_says_what_to_do(acme: Company, folder: Path) -> None:
    (folder / "shippers.csv").unlink()
    for place, message in ((folder, "shippers.csv cannot be read"), (folder / "nowhere", "There is no folder")):
        with pytest.raises(CommandError, match=message) as refusal:
            load(acme, place)
        assert refusal.value.returncode == 2
    with pytest.raises(CommandError, match="create_organization nobody") as refusal:
        call_command("import_northwind", str(NORTHWIND), organization="nobody")
    assert refusal.value.returncode == 2
