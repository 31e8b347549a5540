"""The columns of `demo/northwind`, in the order of its files."""

from core.csv_kinds import (
    DATE,
    DECIMAL,
    FLAG,
    INTEGER,
    PHONE,
    PICTURE,
    POSTAL_CODE,
    TEXT,
    WORD,
    choice,
    matching,
)
from core.dirty_csv import Column, Table

CUSTOMER_ID = matching("a customer's five letters", "[A-Z]{5}")

CATEGORIES = Table(
    "categories.csv",
    (
        Column("categoryID", INTEGER, required=True),
        Column("categoryName", TEXT, required=True),
        Column("description", TEXT),
        Column("picture", PICTURE),
    ),
)

SUPPLIERS = Table(
    "suppliers.csv",
    (
        Column("supplierID", INTEGER, required=True),
        Column("companyName", TEXT, required=True),
        Column("contactName", TEXT),
        Column("contactTitle", WORD),
        Column("address", TEXT),
        Column("city", TEXT),
        Column("region", TEXT),
        Column("postalCode", POSTAL_CODE),
        Column("country", WORD),
        Column("phone", PHONE),
        Column("fax", PHONE),
        Column("homePage", TEXT),
    ),
)

PRODUCTS = Table(
    "products.csv",
    (
        Column("productID", INTEGER, required=True),
        Column("productName", TEXT, required=True),
        Column("supplierID", INTEGER, required=True),
        Column("categoryID", INTEGER, required=True),
        Column("quantityPerUnit", TEXT),
        Column("unitPrice", DECIMAL, required=True),
        Column("unitsInStock", INTEGER, required=True),
        Column("unitsOnOrder", INTEGER, required=True),
        Column("reorderLevel", INTEGER, required=True),
        Column("discontinued", FLAG, required=True),
    ),
)

CUSTOMERS = Table(
    "customers.csv",
    (
        Column("customerID", CUSTOMER_ID, required=True),
        Column("companyName", TEXT, required=True),
        Column("contactName", TEXT),
        Column("contactTitle", WORD),
        Column("address", TEXT),
        Column("city", TEXT),
        Column("region", TEXT),
        Column("postalCode", POSTAL_CODE),
        Column("country", WORD),
        Column("phone", PHONE),
        Column("fax", PHONE),
    ),
)

EMPLOYEES = Table(
    "employees.csv",
    (
        Column("employeeID", INTEGER, required=True),
        Column("lastName", TEXT, required=True),
        Column("firstName", TEXT, required=True),
        Column("title", WORD),
        Column("titleOfCourtesy", choice("Dr.", "Mr.", "Mrs.", "Ms.")),
        Column("birthDate", DATE),
        Column("hireDate", DATE),
        Column("address", TEXT),
        Column("city", TEXT),
        Column("region", TEXT),
        Column("postalCode", POSTAL_CODE),
        Column("country", WORD),
        Column("homePhone", PHONE),
        Column("extension", INTEGER),
        Column("photo", PICTURE),
        Column("notes", TEXT),
        Column("reportsTo", INTEGER),
        Column("photoPath", TEXT),
    ),
)

SHIPPERS = Table(
    "shippers.csv",
    (
        Column("shipperID", INTEGER, required=True),
        Column("companyName", TEXT, required=True),
        Column("phone", PHONE),
    ),
)

ORDERS = Table(
    "orders.csv",
    (
        Column("orderID", INTEGER, required=True),
        Column("customerID", CUSTOMER_ID, required=True),
        Column("employeeID", INTEGER, required=True),
        Column("orderDate", DATE, required=True),
        Column("requiredDate", DATE),
        Column("shippedDate", DATE),
        Column("shipVia", INTEGER),
        Column("freight", DECIMAL),
        Column("shipName", TEXT),
        Column("shipAddress", TEXT),
        Column("shipCity", TEXT),
        Column("shipRegion", TEXT),
        Column("shipPostalCode", POSTAL_CODE),
        Column("shipCountry", WORD),
    ),
)

ORDER_DETAILS = Table(
    "order-details.csv",
    (
        Column("orderID", INTEGER, required=True),
        Column("productID", INTEGER, required=True),
        Column("unitPrice", DECIMAL, required=True),
        Column("quantity", INTEGER, required=True),
        Column("discount", DECIMAL, required=True),
    ),
)

TABLES = (CATEGORIES, SUPPLIERS, PRODUCTS, CUSTOMERS, EMPLOYEES, SHIPPERS, ORDERS, ORDER_DETAILS)
