"""The paper of a purchase order, and the mail that brings it to the supplier."""

from django.conf import settings

from accounts.models import Organization, User
from core.errors import Conflict, NotFound
from core.tenancy import active_organization_id
from inventory.models import Supplier
from orders.models import InvoiceLayout, PurchaseOrder
from orders.papers.purchase import purchase_pdf_of, purchase_title_of
from orders.papers.sheet import filename, money
from orders.queries.purchase_papers import address_to_mail, purchase_paper
from orders.services.invoice_papers import PDF, logo_of, mail_of


def purchase_order_pdf(*, order: PurchaseOrder) -> bytes:
    """As it is now; it says so where it is not sent."""
    row = _read(order)
    layout = InvoiceLayout.objects.filter(channel=None).first()
    return purchase_pdf_of(purchase_paper(row, layout, logo=logo_of(layout), font=settings.LABEL_FONT))


def purchase_filename(order: PurchaseOrder) -> str:
    return filename(f"{order.number}-{order.revision}" if order.revision else order.number, "pdf")


def purchase_order_mail(*, order: PurchaseOrder, revision: int, message_id: str) -> bool:
    """To the supplier, unless it was revised or canceled meanwhile. Answers go to who submitted it.

    A mail that is sent twice has the same id. Raises Conflict if the supplier's address is gone.
    """
    row = _read(order)
    if row.revision != revision or row.status == PurchaseOrder.Status.CANCELLED:
        return False
    address = mail_address(row.supplier)
    shop = Organization.objects.get(pk=active_organization_id()).name
    title = " ".join(purchase_title_of(row).split())
    day = f", expected on {row.expected_on.isoformat()}" if row.expected_on else ""
    text = "\n".join([
        f"{title} from {shop} is attached: {money(row.net_total, row.currency)} {row.currency} without tax{day}.",
        *(["It takes the place of all that we sent before under this number."] if row.revision else []),
        f"Please confirm it, and write {row.number} on your delivery note and your invoice.", "",
    ])
    buyer = User.objects.filter(pk=row.requested_by, is_active=True).first() if row.requested_by else None
    mail = mail_of(f"{title} from {shop}", text, to=address, message_id=message_id, reply_to=[buyer.email] if buyer else [])
    mail.attach(purchase_filename(row), purchase_order_pdf(order=row), PDF)
    mail.send()
    return True


def mail_address(supplier: Supplier) -> str:
    """Raises Conflict where nobody at the supplier has one."""
    if found := address_to_mail(supplier):
        return found
    raise Conflict(
        f"Nobody at {supplier.code} has an e-mail address: give its party a contact with one, or tell them yourself"
        " and send it with by: other.", code="no_email",
    )


def _read(order: PurchaseOrder) -> PurchaseOrder:
    rows = PurchaseOrder.objects.select_related("supplier__party", "warehouse__address")
    row: PurchaseOrder | None = rows.filter(pk=order.pk).first()
    if row is None:
        raise NotFound("There is no such purchase order.")
    return row
