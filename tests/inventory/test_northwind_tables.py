from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from core.dirty_csv import BY_BLANKS, Row, Table, TableReading, read_table
from inventory.northwind_tables import (
    CATEGORIES,
    CUSTOMERS,
    EMPLOYEES,
    ORDER_DETAILS,
    ORDERS,
    PRODUCTS,
    SHIPPERS,
    SUPPLIERS,
    TABLES,
)

NORTHWIND = Path(__file__).parents[2] / "demo" / "northwind"


def read(table: Table) -> TableReading:
    return read_table(NORTHWIND / table.file_name, table.columns)


def rows(table: Table, key: str) -> dict[object, Row]:
    return {row.values[key]: row for row in read(table).rows}


@pytest.mark.parametrize(
    ("table", "count", "repaired"),
    [
        (CATEGORIES, 8, 0),
        (SUPPLIERS, 29, 9),
        (PRODUCTS, 77, 0),
        (CUSTOMERS, 91, 24),
        (EMPLOYEES, 9, 0),
        (SHIPPERS, 3, 0),
        (ORDERS, 830, 176),
        (ORDER_DETAILS, 2155, 0),
    ],
    ids=lambda value: value.file_name if isinstance(value, Table) else None,
)
def test_every_row_is_read(table: Table, count: int, repaired: int) -> None:
    reading = read(table)

    assert not reading.problems
    assert len(reading.rows) == count
    assert [row.line for row in reading.rows] == list(range(2, count + 2))
    assert Counter(repair.reason for repair in reading.repairs) == Counter({BY_BLANKS: repaired} if repaired else {})


def test_every_file_of_the_folder_is_declared() -> None:
    assert {table.file_name for table in TABLES} == {path.name for path in NORTHWIND.glob("*.csv")}


def test_the_repaired_rows_are_those_with_unquoted_commas() -> None:
    for table in (SUPPLIERS, CUSTOMERS, ORDERS):
        lines = (NORTHWIND / table.file_name).read_text(encoding="utf-8").splitlines()
        dirty = [place for place, line in enumerate(lines, start=1) if line.count(",") >= len(table.columns)]
        assert [repair.line for repair in read(table).repairs] == dirty


def test_repaired_suppliers() -> None:
    assert [repair.values for repair in read(SUPPLIERS).repairs] == [
        {"companyName": "Pavlova, Ltd."},
        {"companyName": "Specialty Biscuits, Ltd."},
        {"address": "Viale Dante, 75"},
        {"address": "203, Rue des Francs-Bourgeois"},
        {"address": "471 Serangoon Loop, Suite #402"},
        {"companyName": "G'day, Mate"},
        {"address": "Via dei Gelsomini, 153"},
        {"address": "22, rue H. Voiron"},
        {"address": "Bat. B 3, rue des Alpes"},
    ]


def test_repaired_customers() -> None:
    assert [repair.values for repair in read(CUSTOMERS).repairs] == [
        {"address": address}
        for address in (
            "24, place Kléber",
            "C/ Araquil, 67",
            "12, rue des Bouchers",
            "Av. dos Lusíadas, 23",
            "67, rue des Cinquante Otages",
            "Rua Orós, 92",
            "C/ Moralzarzal, 86",
            "184, chaussée de Tournai",
            "54, rue Royale",
            "Rambla de Cataluña, 23",
            "C/ Romero, 33",
            "Av. Brasil, 442",
            "Rua do Paço, 67",
            "67, avenue de l'Europe",
            "265, boulevard Charonne",
            "Rua da Panificadora, 12",
            "Alameda dos Canàrios, 891",
            "Av. Copacabana, 267",
            "Gran Vía, 1",
            "25, rue Lauriston",
            "Boulevard Tirou, 255",
            "Av. Inês de Castro, 414",
            "2, rue du Commerce",
            "Rua do Mercado, 12",
        )
    ]


def test_the_columns_after_a_repaired_value_are_in_their_place() -> None:
    supplier = rows(SUPPLIERS, "supplierID")[24]

    assert supplier.line == 25
    assert supplier.values == {
        "supplierID": 24,
        "companyName": "G'day, Mate",
        "contactName": "Wendy Mackenzie",
        "contactTitle": "Sales Representative",
        "address": "170 Prince Edward Parade Hunter's Hill",
        "city": "Sydney",
        "region": "NSW",
        "postalCode": "2042",
        "country": "Australia",
        "phone": "(02) 555-5914",
        "fax": "(02) 555-4873",
        "homePage": "G'day Mate (on the World Wide Web)#http://www.microsoft.com/accessdev/sampleapps/gdaymate.htm#",
    }


def test_every_repaired_order_goes_to_its_customers_address() -> None:
    customers = rows(CUSTOMERS, "customerID")
    repaired = {repair.line for repair in read(ORDERS).repairs}
    orders = [row for row in read(ORDERS).rows if row.line in repaired]

    assert len(orders) == 176
    for order in orders:
        customer = customers[order.values["customerID"]]
        for at_order, at_customer in (
            ("shipAddress", "address"),
            ("shipCity", "city"),
            ("shipRegion", "region"),
            ("shipCountry", "country"),
        ):
            assert order.values[at_order] == customer.values[at_customer], order.line


def test_values_are_typed() -> None:
    order = rows(ORDERS, "orderID")[10250]
    employee = rows(EMPLOYEES, "employeeID")[1]
    product = rows(PRODUCTS, "productID")[5]

    assert order.get("orderDate", date) == date(1996, 7, 8)
    assert order.get("freight", Decimal) == Decimal("65.83")
    assert employee.get("notes", str).count('"The Art of the Cold Call."') == 1
    assert employee.values["photo"] is None
    assert employee.values["reportsTo"] == 2
    assert product.values["discontinued"] is True
    assert rows(CATEGORIES, "categoryID")[1].values["description"] == "Soft drinks, coffees, teas, beers, and ales"


def test_references_between_the_tables_hold() -> None:
    details = read(ORDER_DETAILS).rows
    orders = read(ORDERS).rows
    products = read(PRODUCTS).rows

    for held, name, table in (
        (details, "orderID", ORDERS),
        (details, "productID", PRODUCTS),
        (orders, "customerID", CUSTOMERS),
        (orders, "employeeID", EMPLOYEES),
        (products, "supplierID", SUPPLIERS),
        (products, "categoryID", CATEGORIES),
    ):
        assert {row.values[name] for row in held} <= rows(table, name).keys()


def test_products_to_reorder() -> None:
    low = [
        row
        for row in read(PRODUCTS).rows
        if row.get("unitsInStock", int) <= row.get("reorderLevel", int) and not row.get("discontinued", bool)
    ]
    short = [row for row in low if row.get("unitsInStock", int) + row.get("unitsOnOrder", int) <= row.get("reorderLevel", int)]

    ids = [row.values["productID"] for row in low]
    assert ids == [2, 3, 11, 21, 30, 31, 32, 37, 43, 45, 48, 49, 56, 64, 66, 68, 70, 74]
    assert [row.values["productID"] for row in short] == [30, 70]
