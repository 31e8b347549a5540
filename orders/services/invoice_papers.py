"""The paper and the XML of an invoice. The paper is kept with its hash as it was first made, once the invoice is issued."""

import hashlib
import secrets
from collections.abc import Sequence

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.mail import EmailMessage

from accounts.models import Organization
from accounts.queries.attachments import pictures_of
from accounts.services.attachments import kept_if_written
from core.errors import Conflict, NotFound
from core.files import private_files
from core.tenancy import active_organization_id
from orders.models import Invoice, InvoiceFile, InvoiceLayout
from orders.papers.pdf import Paper, pdf_of, title_of
from orders.papers.sheet import filename
from orders.papers.ubl import ubl_of
from orders.queries.invoices import layout_of

PDF, XML = "application/pdf", "application/xml"
DRAWN = ("image/png", "image/jpeg", "image/gif", "image/webp")


def invoice_pdf(*, invoice: Invoice) -> bytes:
    """Of a draft, as it would be now. Raises Conflict if somebody changed the file that is kept."""
    row = _read(invoice, lock=True)
    if row.status != Invoice.Status.ISSUED:
        return _drawn(row)
    kept = InvoiceFile.objects.filter(invoice=row).first()
    if kept is None:
        return _keep(row, _drawn(row))
    with private_files().open(kept.storage_key) as file:
        content: bytes = file.read()
    if hashlib.sha256(content).hexdigest() != kept.sha256:
        raise Conflict(f"The file of {row.number} is not the one that was kept: somebody has changed it.", code="file_changed")
    return content


def invoice_xml(*, invoice: Invoice) -> bytes:
    """Raises Conflict for a draft, which has no number yet."""
    row = _read(invoice)
    if row.status != Invoice.Status.ISSUED:
        raise Conflict("A draft has no number yet: issue it first.", code="wrong_status")
    of = row.corrects
    corrects = (str(of.number), f"{of.issued_on}") if of else None
    return ubl_of(row, list(row.items.order_by("line")), order_number=row.order.number or "", corrects=corrects)


def filename_of(invoice: Invoice, ending: str) -> str:
    return filename(invoice.number or "draft", ending)


def invoice_mail(*, invoice: Invoice, message_id: str) -> bool:
    """To the order's address, if there is one, with the paper and the XML. A mail that is sent twice has the same id."""
    row = _read(invoice)
    pdf = invoice_pdf(invoice=row)
    if not row.order.email:
        return False
    shop = Organization.objects.get(pk=active_organization_id()).name
    title = " ".join(title_of(row).split())
    text = f"{title} from {shop}, for your order {row.order.number}, is attached: {row.total.normalize():f} {row.currency}.\n"
    mail = mail_of(f"{title} from {shop}", text, to=row.order.email, message_id=message_id)
    mail.attach(filename_of(row, "pdf"), pdf, PDF)
    mail.attach(filename_of(row, "xml"), invoice_xml(invoice=row), XML)
    mail.send()
    return True


def mail_of(subject: str, text: str, *, to: str, message_id: str, reply_to: Sequence[str] = ()) -> EmailMessage:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers = {"Message-ID": f"<{message_id}@{domain}>"}
    return EmailMessage(" ".join(subject.split()), text, to=[to], headers=headers, reply_to=reply_to)


def logo_of(layout: InvoiceLayout | None) -> bytes:
    pictures = [one for one in pictures_of(layout) if one.content_type in DRAWN] if layout else []
    if not pictures:
        return b""
    with private_files().open(pictures[0].storage_key) as file:
        content: bytes = file.read()
        return content


def _read(invoice: Invoice, *, lock: bool = False) -> Invoice:
    rows = Invoice.objects.select_related("order__channel", "order__customer__party", "corrects")
    rows = rows.select_for_update(of=("self",), no_key=True) if lock else rows  # two that ask at once make one paper
    row: Invoice | None = rows.filter(pk=invoice.pk).first()
    if row is None:
        raise NotFound("There is no such invoice.")
    return row


def _drawn(row: Invoice) -> bytes:
    return pdf_of(Paper(
        row, list(row.items.order_by("line")), row.order.number or "", str(row.corrects.number) if row.corrects else "",
        logo_of(layout_of(row.order)), settings.LABEL_FONT,
    ))


def _keep(row: Invoice, content: bytes) -> bytes:
    key = f"{active_organization_id()}/invoices/{row.pk}/{secrets.token_hex(16)}"
    with kept_if_written(key):
        private_files().save(key, ContentFile(content))
        InvoiceFile.objects.create(
            invoice=row, filename=filename_of(row, "pdf"), content_type=PDF, size=len(content),
            sha256=hashlib.sha256(content).hexdigest(), storage_key=key, storage_version=private_files().stored_version(key),
        )
    return content
