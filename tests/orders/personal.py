"""What orders keep of a person."""

from accounts.models import User
from tests.factories.bills import SupplierBillFactory
from tests.factories.invoices import InvoiceFactory
from tests.factories.payments import PaymentFactory
from tests.factories.pick_lists import PickListItemFactory
from tests.factories.purchasing import GoodsReceiptFactory, PurchaseOrderFactory
from tests.factories.returns import ReturnItemFactory
from tests.factories.sales import CustomerFactory, SalesOrderFactory


def in_the_orders(user: User, address: str) -> None:
    customer = CustomerFactory(user_id=user.pk)
    for status in ("issued", "draft"):
        InvoiceFactory(customer=customer, status=status, counter=1)
    InvoiceFactory(note=f"Call {address}")
    SalesOrderFactory(email=address, status="completed")
    SalesOrderFactory(email=address, status="placed")
    SalesOrderFactory(note=f"Call {address}")
    PickListItemFactory(short_reason=f"Ask {address}")
    PaymentFactory(reason=f"Wrong card of {address}")
    GoodsReceiptFactory(actor_id=user.pk)
    PurchaseOrderFactory(requested_by=user.pk)
    SupplierBillFactory(entered_by=user.pk)
    ReturnItemFactory(note=f"Ask {address}", authorization__note=f"Call {address}")
