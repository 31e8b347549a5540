"""What an invoice looks like on paper and as XML, who gets it, and how clerks and programs reach it."""

import hashlib
import re
import zipfile
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import mkdtemp
from xml.etree import ElementTree as ET

import pytest
from django.core import mail
from lxml import etree
from PIL import Image

from accounts.permissions import VIEWER, known
from accounts.services.attachments import Upload, attachment_create
from core.files import private_files
from orders.handlers import send_invoice
from orders.models import Invoice, InvoiceFile
from orders.papers.ubl import CAC, CBC
from orders.services.credit_notes import CreditLine, credit_note_draft
from orders.services.invoice_papers import invoice_pdf, invoice_xml
from orders.services.invoices import invoice_draft_from_order, invoice_issue
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.invoices import InvoiceLayoutFactory
from tests.limited import limited_api
from tests.orders.invoicing import Sold, invoiced, issued, order_of

URL, PAGES = "/api/v1/invoices/", "/admin/orders/invoice/"
BUYER = {"name": "Ada & Söhne", "street1": "Rua A 1", "city": "Porto", "postal_code": "4000", "country": "PT"}
BESIDE = [("shipping", "4.90", 19), ("discount", "-3", 19), ("rounding", "-0.01", 0)]
GREEK, RUSSIAN = "Ελληνικά τακάκια", "Тормозные колодки"


@cache
def schema(name: str) -> etree.XMLSchema:
    folder = Path(mkdtemp())
    zipfile.ZipFile(Path(__file__).parent / "ubl" / "UBL-2.1.zip").extractall(folder)
    return etree.XMLSchema(etree.parse(folder / "maindoc" / f"UBL-{name}-2.1.xsd", etree.XMLParser(no_network=True)))


def text(root: ET.Element, path: str) -> list[str]:
    """`path` in names of UBL: those with a capital before a child are aggregates."""
    names = path.split("/")
    steps = [f"{{{CAC}}}{name}" for name in names[:-1]] + [f"{{{CBC}}}{names[-1]}"]
    return [str(found.text) for found in root.findall("/".join(steps))]


def valid(invoice: Invoice) -> ET.Element:
    content = invoice_xml(invoice=invoice)
    schema("CreditNote" if invoice.kind == "credit_note" else "Invoice").assertValid(etree.fromstring(content))
    return ET.fromstring(content)


def test_the_xml_is_valid_and_says_the_same(acme: Company) -> None:
    with acme.scope():
        InvoiceLayoutFactory(channel=None, iban="DE89370400440532013000", bic="COBADEFFXXX", terms="No cash.", payment_days=14)
        order = order_of(
            Sold(3, "0.99", 19, includes_tax=True), Sold(7, "10", 7, discount="1"), Sold(1, "5", 0), beside=BESIDE,
            billing_address=BUYER,
        )
        invoice = issued(order, note="Thanks\u200b\x0b!")
        root = valid(invoice)
        assert text(root, "CustomizationID") == ["urn:cen.eu:en16931:2017"] and text(root, "InvoiceTypeCode") == ["380"]
        assert text(root, "OrderReference/ID") == [order.number]
        assert text(root, "AccountingCustomerParty/Party/PartyLegalEntity/RegistrationName") == ["Ada & Söhne"]
        sums = {name: Decimal(text(root, f"LegalMonetaryTotal/{name}")[0]) for name in (
            "LineExtensionAmount", "TaxExclusiveAmount", "TaxInclusiveAmount", "AllowanceTotalAmount", "ChargeTotalAmount",
            "PayableAmount",
        )}
        lines = list(map(Decimal, text(root, "InvoiceLine/LineExtensionAmount")))
        taxes = list(map(Decimal, text(root, "TaxTotal/TaxSubtotal/TaxAmount")))
        assert sums["LineExtensionAmount"] == sum(lines)
        off, added = sums["AllowanceTotalAmount"], sums["ChargeTotalAmount"]
        assert sums["TaxExclusiveAmount"] == sum(lines) - off + added == invoice.net_total
        assert sums["TaxInclusiveAmount"] == invoice.net_total + sum(taxes) and sum(taxes) == invoice.tax_total
        rounding = sum(map(Decimal, text(root, "LegalMonetaryTotal/PayableRoundingAmount")))
        assert sums["PayableAmount"] == sums["TaxInclusiveAmount"] + rounding == invoice.total == order.total
        goods = invoice.items.get(line=1)
        for made in (
            credit_note_draft(invoice=invoice, lines=[CreditLine(goods.pk, Decimal(1))]),
            credit_note_draft(invoice=invoice, amount=Decimal("7.77")),
        ):
            credit = valid(invoice_issue(invoice=made))
            assert text(credit, "CreditNoteTypeCode") == ["381"]
            assert text(credit, "BillingReference/InvoiceDocumentReference/ID") == [invoice.number]
        shipping = invoice.items.get(kind="shipping")
        valid(invoice_issue(invoice=credit_note_draft(invoice=invoice, lines=[CreditLine(shipping.pk, amount=Decimal(1))])))
        order.customer.tax_exempt = True
        order.customer.save(update_fields=["tax_exempt"])
        exempt = valid(issued(order_of(Sold(1, "5", 0), customer=order.customer, billing_address=BUYER)))
        assert text(exempt, "TaxTotal/TaxSubtotal/TaxCategory/TaxExemptionReason") == ["Exempt from tax"]


def pages(content: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", content))


def test_the_paper_is_kept_as_it_was_first_made(acme: Company) -> None:
    with acme.scope():
        layout = InvoiceLayoutFactory(channel=None, terms="Goods stay ours until they are paid.", footer="Acme, Porto")
        order = order_of(*[Sold(2, "10.5")] * 90, beside=BESIDE[:1], billing_address=BUYER)
        draft = invoice_draft_from_order(order=order)
        assert invoice_pdf(invoice=draft).startswith(b"%PDF") and not InvoiceFile.objects.exists()
        invoice = invoice_issue(invoice=draft)
        first = invoice_pdf(invoice=invoice)
        kept = InvoiceFile.objects.get()
        assert kept.sha256 == hashlib.sha256(first).hexdigest() and pages(first) >= 3
        layout.footer = "Acme, Lisboa"
        layout.save(update_fields=["footer"])
        assert invoice_pdf(invoice=invoice) == first
        private_files().delete(kept.storage_key)
        private_files().save(kept.storage_key, BytesIO(b"%PDF forged"))
        with pytest.raises(Exception, match="somebody has changed it"):
            invoice_pdf(invoice=invoice)


@pytest.mark.parametrize("words", [GREEK, RUSSIAN, "Łódź"])
def test_other_letters_are_readable(words: str, acme: Company) -> None:
    with acme.scope():
        order = order_of(Sold(2), billing_address={**BUYER, "name": words})
        order.lines.update(name=words)
        content = invoice_pdf(invoice=issued(order))
        assert b"DejaVuSansMono" in content and b"/ToUnicode" in content


def test_the_logo_is_the_layouts_picture(acme: Company) -> None:
    picture = BytesIO()
    Image.new("RGB", (300, 100), "navy").save(picture, "PNG")
    with acme.scope():
        layout = InvoiceLayoutFactory(channel=None)
        plain = invoice_pdf(invoice=invoice_draft_from_order(order=order_of(Sold())))
        attachment_create(
            object_type="orders.invoicelayout", object_id=layout.pk, permissions=known(),
            upload=Upload(picture, len(picture.getvalue()), "logo.png"),
        )
        with_logo = invoice_pdf(invoice=invoice_draft_from_order(order=order_of(Sold())))
    assert b"/Subtype /Image" in with_logo and b"/Subtype /Image" not in plain


def test_the_customer_gets_it_by_mail(acme: Company) -> None:
    with acme.scope():
        invoice = issued(order_of(Sold(2), email="ada@example.test"))
        silent = issued(order_of(Sold(2)))
        for one in (invoice, silent):
            send_invoice.func({"id": "e-1", "payload": {"invoice": str(one.pk)}})
        [sent] = mail.outbox
        assert (sent.to, sent.subject) == (["ada@example.test"], f"Invoice {invoice.number} from Acme")
        assert [name for name, *_ in sent.attachments] == [f"{invoice.number}.pdf", f"{invoice.number}.xml"]
        assert InvoiceFile.objects.count() == 2


def test_by_the_api(acme: Company, bolt: Company) -> None:
    with acme.scope():
        order = order_of(Sold(5), Sold(1))
        line = order.lines.first()
    api = acme.api
    body = {"order": str(order.pk), "lines": [{"line": str(line.pk), "quantity": "2"}], "note": "First part"}
    draft = api.send("post", f"{URL}from-order/", body)
    assert draft.status_code == 201, draft.content
    url = f"{URL}{draft.json()['id']}/"
    assert api.send("patch", url, {"due_on": "2099-01-01"}).json()["due_on"] == "2099-01-01"
    assert_problem(api.get(f"{url}ubl/"), 409, "wrong_status")
    assert api.get(f"{url}pdf/").content.startswith(b"%PDF")
    invoice = api.send("post", f"{url}issue/").json()
    assert (invoice["number"], invoice["status"], invoice["total"]) == ("INV-000001", "issued", "23.800000")
    assert invoice["taxes"] == [{"category": "S", "rate": "19", "net": "20.00", "tax": "3.80"}]
    for method, what in (("patch", {"note": "x"}), ("delete", None)):
        assert_problem(api.send(method, url, what), 409, "wrong_status")
    paper, xml = api.get(f"{url}pdf/", headers={"Accept": "application/pdf"}), api.get(f"{url}ubl/")
    assert (paper["Content-Type"], xml["Content-Type"]) == ("application/pdf", "application/xml")
    assert "INV-000001.xml" in xml["Content-Disposition"]
    [item] = api.get(f"{url}lines/").json()
    credit = api.send("post", f"{url}credit/", {"lines": [{"line": item["id"], "quantity": "1"}]})
    assert (credit.status_code, credit.json()["kind"], credit.json()["corrects_number"]) == (201, "credit_note", "INV-000001")
    assert_problem(api.send("post", f"{url}credit/", {"amount": "99"}), 409, "over_credited")
    assert_problem(api.send("post", f"{url}credit/", {"lines": [{"line": item["id"]}]}), 400)
    rest = api.send("post", f"{URL}from-order/", {"order": str(order.pk)}).json()
    assert api.send("delete", f"{URL}{rest['id']}/").status_code == 204
    with acme.scope():
        assert invoiced(order) == [2, 0]
    assert_problem(bolt.api.send("post", f"{URL}from-order/", {"order": str(order.pk)}), 400)
    assert_problem(acme.api_as(VIEWER).send("post", f"{url}issue/"), 403, "permission_denied")
    elsewhere = limited_api(acme, order.warehouse)
    assert elsewhere.get(url).status_code == 200
    with acme.scope():
        other = order_of(Sold())
    assert_problem(elsewhere.send("post", f"{URL}from-order/", {"order": str(other.pk)}), 403)


def test_in_the_admin(acme: Company) -> None:
    with acme.scope():
        order = order_of(Sold(5))
        line = order.lines.get()
    browser = acme.admin
    page, making = f"/admin/orders/salesorder/{order.pk}/change/", f"/admin/orders/salesorder/{order.pk}/invoice/"
    assert making in browser.get(page).content.decode()
    assert b'value="5"' in browser.get(making).content
    assert "less than or equal to 5" in browser.post(making, {f"quantity-{line.pk}": "6"}).content.decode()
    made = browser.post(making, {f"quantity-{line.pk}": "2", "note": "Thanks"}, follow=True).content.decode()
    with acme.scope():
        draft = Invoice.objects.get()
    url = f"{PAGES}{draft.pk}/"
    assert all((f"{url}{verb}/" in made) == (verb in ("issue", "pdf")) for verb in ("issue", "credit", "pdf", "ubl"))
    form = {"due_on": "2099-01-01", "note": "Thanks", "items-TOTAL_FORMS": 0, "items-INITIAL_FORMS": 0}
    saved = browser.post(f"{url}change/", form)
    assert saved.status_code == 302, saved.content.decode()[-2000:]
    issue = browser.post(f"{url}issue/", follow=True).content.decode()
    assert "Invoice INV-000001: issued." in issue and f"{url}credit/" in issue and f"{url}issue/" not in issue
    assert browser.get(f"{url}pdf/")["Content-Type"] == "application/pdf" and browser.get(f"{url}ubl/").status_code == 200
    assert f"salesorder/{order.pk}/invoices/" in browser.get(page).content.decode()
    assert "INV-000001" in browser.get(f"/admin/orders/salesorder/{order.pk}/invoices/", follow=True).content.decode()
    over = browser.post(f"{url}credit/", {"amount": "1000"}).content.decode()
    assert "are left to credit" in over
    with acme.scope():
        item = draft.items.get()
    assert browser.post(f"{url}credit/", {f"quantity-{item.pk}": "1"}).status_code == 302
    with acme.scope():
        credit = Invoice.objects.get(kind="credit_note")
        assert (credit.total, Invoice.objects.get(pk=draft.pk).due_on.year) == (Decimal("11.90"), 2099)
    assert browser.post(f"{PAGES}{credit.pk}/delete/", {"post": "yes"}).status_code == 302
    assert browser.post(f"{PAGES}{draft.pk}/delete/", {"post": "yes"}).status_code == 403
    assert acme.admin_as(VIEWER).get(f"{url}credit/").status_code == 403
    with acme.scope():
        assert [one.kind for one in Invoice.objects.all()] == ["invoice"]


