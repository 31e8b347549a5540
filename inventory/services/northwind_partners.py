"""Suppliers, customers and shippers: parties with their addresses and contacts."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from accounts.models import Address, Contact, Party
from core.dirty_csv import Row, Table
from inventory.models import Supplier
from inventory.northwind_tables import CUSTOMERS, SHIPPERS, SUPPLIERS
from inventory.services.northwind_run import Run
from inventory.services.upsert import Draft

COUNTRIES = {
    "Argentina": "AR", "Australia": "AU", "Austria": "AT", "Belgium": "BE", "Brazil": "BR", "Canada": "CA",
    "Denmark": "DK", "Finland": "FI", "France": "FR", "Germany": "DE", "Ireland": "IE", "Italy": "IT",
    "Japan": "JP", "Mexico": "MX", "Netherlands": "NL", "Norway": "NO", "Poland": "PL", "Portugal": "PT",
    "Singapore": "SG", "Spain": "ES", "Sweden": "SE", "Switzerland": "CH", "UK": "GB", "USA": "US", "Venezuela": "VE",
}  # fmt: skip

PARTY_COLUMNS = {"name": "companyName", "website": "homePage"}
ADDRESS_COLUMNS = {"street1": "address", "postal_code": "postalCode"}
CONTACT_COLUMNS = {"name": "contactName", "position": "contactTitle"}

type Parties = dict[int, UUID]  # by the line of the file


def supplier_ref(number: int) -> str:
    return f"supplier:{number}"


def import_partners(run: Run) -> None:
    suppliers = _parties(run, SUPPLIERS, "supplierID", lambda row: supplier_ref(row.get("supplierID", int)))
    customers = _parties(run, CUSTOMERS, "customerID", lambda row: f"customer:{row.get('customerID', str)}")
    shippers = _parties(run, SHIPPERS, "shipperID", lambda row: f"shipper:{row.get('shipperID', int)}")
    _suppliers(run, suppliers)
    for table, parties in ((SUPPLIERS, suppliers), (CUSTOMERS, customers)):
        _addresses(run, table, parties)
    for table, parties in ((SUPPLIERS, suppliers), (CUSTOMERS, customers), (SHIPPERS, shippers)):
        _contacts(run, table, parties)


def _parties(run: Run, table: Table, number: str, ref: Callable[[Row], str]) -> Parties:
    drafts = [Draft(row.line, {"external_ref": ref(row), **_party(row)}) for row in run.rows(table)]
    existing = Party.objects.filter(external_ref__in=[draft.says["external_ref"] for draft in drafts])
    return run.upsert("parties", table, existing, drafts, columns={**PARTY_COLUMNS, "external_ref": number})


def _party(row: Row) -> dict[str, Any]:
    values: dict[str, Any] = {"name": row.get("companyName", str)}
    if "homePage" in row.values:
        values["website"] = _link(row.find("homePage", str) or "")
    return values


def _link(text: str) -> str:
    """Access writes a link as its text, # and its address, and another #."""
    parts = text.split("#")
    return parts[1] if len(parts) > 1 else text


def _suppliers(run: Run, parties: Parties) -> None:
    drafts = []
    for row in _of(run, SUPPLIERS, parties):
        number = row.get("supplierID", int)
        drafts.append(Draft(
            row.line, {"external_ref": supplier_ref(number), "party_id": parties[row.line]},
            starts={"code": f"S{number:03}", "currency": "USD"},
        ))
    existing = Supplier.objects.filter(external_ref__in=[draft.says["external_ref"] for draft in drafts])
    run.upsert("suppliers", SUPPLIERS, existing, drafts, columns={"code": "supplierID"})


def _addresses(run: Run, table: Table, parties: Parties) -> None:
    drafts = []
    for row in _of(run, table, parties):
        country = row.find("country", str)
        if country not in COUNTRIES:
            said = f"{country!r} is no country that is known here" if country else "a value is required"
            run.leave_out(table, row.line, "country", f"{said}, so the partner goes in without this address")
            continue
        drafts.append(Draft(row.line, {
            "party_id": parties[row.line], "country": COUNTRIES[country],
            "street1": row.find("address", str) or "", "city": row.find("city", str) or "",
            "region": row.find("region", str) or "", "postal_code": row.find("postalCode", str) or "",
        }, starts={"kind": Address.Kind.BILLING, "is_default": True}))
    existing = Address.objects.filter(party__in=parties.values(), kind=Address.Kind.BILLING, is_default=True)
    run.upsert("addresses", table, existing, drafts, key=("party_id",), columns=ADDRESS_COLUMNS)


def _contacts(run: Run, table: Table, parties: Parties) -> None:
    drafts = [
        Draft(row.line, {"party_id": parties[row.line], **_contact(row)}, starts={"is_primary": True})
        for row in _of(run, table, parties)
    ]
    existing = Contact.objects.filter(party__in=parties.values(), is_primary=True)
    run.upsert("contacts", table, existing, drafts, key=("party_id",), columns=CONTACT_COLUMNS)


def _contact(row: Row) -> dict[str, str]:
    """Where no person is named, the switchboard bears the company's name."""
    columns = {"contactName": "name", "contactTitle": "position", "phone": "phone", "fax": "fax"}
    said = {name: row.find(column, str) or "" for column, name in columns.items() if column in row.values}
    return {**said, "name": said.get("name") or row.get("companyName", str)}


def _of(run: Run, table: Table, parties: Parties) -> list[Row]:
    return [row for row in run.rows(table) if row.line in parties]
