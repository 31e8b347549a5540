"""The paper of a purchase order, and the mail that brings it to the supplier."""

from collections.abc import Sequence

from django.conf import settings

from accounts.models import Organization, User
from core.errors import Conflict, NotFound
from core.tenancy import active_organization_id
from inventory.models import Supplier
from orders.models import InvoiceLayout, PurchaseOrder
from orders.papers.purchase import NOT_SENT, purchase_pdf_of, purchase_title_of
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
    day = f", expected on {row.expected_on.isoformat()}" if row.expected_on else ""
    _mail(row, message_id, f"is attached: {money(row.net_total, row.currency)} {row.currency} without tax{day}.", [
        *(["It takes the place of all that we sent before under this number."] if row.revision else []),
        f"Please confirm it, and write {row.number} on your delivery note and your invoice.",
    ])
    return True


def purchase_order_mail_revised(*, order: PurchaseOrder, revision: int, message_id: str) -> bool:
    """That what they have counts no longer, unless a later mail says so or more. Raises Conflict if the address is gone."""
    row = _read(order)
    if row.revision != revision or row.status not in NOT_SENT:
        return False
    _mail(row, message_id, "is being changed.", [
        "Please deliver nothing by what we sent before under this number: we will send it anew.",
    ], name=f"Purchase order {row.number}", is_attached=False)
    return True


def purchase_order_mail_cancelled(*, order: PurchaseOrder, message_id: str) -> None:
    """Raises Conflict if the supplier's address is gone."""
    _mail(_read(order), message_id, "is attached.", [
        "Please deliver nothing of it. It takes the place of all that we sent before under this number.",
    ])


def _mail(
    row: PurchaseOrder, message_id: str, said: str, more: Sequence[str], *, name: str = "", is_attached: bool = True,
) -> None:
    """`said` follows the order's name, which is its title unless another is given."""
    address = mail_address(row.supplier)
    shop = Organization.objects.get(pk=active_organization_id()).name
    title = name or " ".join(purchase_title_of(row).split())
    text = "\n".join([f"{title} from {shop} {said}", *more, ""])
    subject = f"{title} from {shop}" if is_attached else f"{title} from {shop} {said}".rstrip(".")
    buyer = User.objects.filter(pk=row.requested_by, is_active=True).first() if row.requested_by else None
    mail = mail_of(subject, text, to=address, message_id=message_id, reply_to=[buyer.email] if buyer else [])
    if is_attached:
        mail.attach(purchase_filename(row), purchase_order_pdf(order=row), PDF)
    mail.send()


def mail_address(supplier: Supplier) -> str:
    """Raises Conflict where nobody at the supplier has one."""
    if found := address_to_mail(supplier):
        return found
    raise Conflict(
        f"Nobody at {supplier.code} has an e-mail address: give its party a contact with one, or tell them yourself"
        " and say by: other.", code="no_email",
    )


def _read(order: PurchaseOrder) -> PurchaseOrder:
    rows = PurchaseOrder.objects.select_related("supplier__party", "warehouse__address")
    row: PurchaseOrder | None = rows.filter(pk=order.pk).first()
    if row is None:
        raise NotFound("There is no such purchase order.")
    return row
