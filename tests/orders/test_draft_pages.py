"""The pages of drafts whose lines are written all at once: who changes only what stands above them leaves them alone."""

from typing import Any

import pytest

from orders.models import LandedCost
from tests.companies import Company
from tests.factories.bills import SupplierBillItemFactory
from tests.factories.landed_costs import LandedCostReceiptFactory
from tests.factories.purchasing import PurchaseOrderItemFactory
from tests.factories.transfers import TransferOrderFactory


def on_the_page(page: Any) -> dict[str, Any]:
    """What a browser sends of it."""
    formsets = [inline.formset for inline in page.context["inline_admin_formsets"]]
    forms = [page.context["adminform"].form, *(one for of in formsets for one in (of.management_form, *of.forms))]
    values = {field.html_name: field.value() for form in forms for field in form}
    return {name: value for name, value in values.items() if value is not None and value is not False}


def a_transfer_order() -> Any:
    return TransferOrderFactory()


def a_purchase_order() -> Any:
    return PurchaseOrderItemFactory().order


def a_supplier_bill() -> Any:
    return SupplierBillItemFactory().bill


def a_landed_cost() -> LandedCost:
    cost: LandedCost = LandedCostReceiptFactory().cost
    return cost


@pytest.mark.parametrize("draft", [a_transfer_order, a_purchase_order, a_supplier_bill, a_landed_cost])
def test_a_note_is_changed_without_touching_the_lines(draft: Any, acme: Company) -> None:
    with acme.scope():
        row = draft()
    url = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
    sent = {**on_the_page(acme.admin.get(url)), "note": "Ring the bell"}
    response = acme.admin.post(url, sent)
    assert response.status_code == 302, response.context["errors"] if response.context else response.status_code
    with acme.scope():
        row.refresh_from_db()
        assert row.note == "Ring the bell"
