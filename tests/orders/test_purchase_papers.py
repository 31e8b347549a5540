"""A purchase order goes to the supplier: its paper, and the mail that brings it."""

import re
import zlib
from collections.abc import Callable, Iterator
from email.message import Message
from typing import Any

import pytest
from django.core import mail
from django.db import connections

from accounts.models import Contact
from accounts.permissions import VIEWER
from notifications.models import JobAttempt, OutboxEvent
from notifications.registry import handlers
from orders.models import PurchaseOrder
from orders.services.purchase_papers import purchase_order_pdf
from orders.services.purchase_states import (
    purchase_order_cancel,
    purchase_order_revise,
    purchase_order_send,
    purchase_order_submit,
)
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.accounts import AddressFactory, ContactFactory
from tests.factories.invoices import InvoiceLayoutFactory
from tests.notifications.at_work import quiet, run_all
from tests.notifications.mail_server import MailServer, mail_server
from tests.notifications.test_relaying import relay_all
from tests.orders.buying import Buying

ORDERS, PAGES, ADDRESS = "/api/v1/purchase-orders/", "/admin/orders/purchaseorder/", "orders@supplier.test"


@pytest.fixture
def company(new_company: Callable[[], Company]) -> Company:
    """Alone: what others have left is done."""
    relay_all()
    quiet()
    return new_company()


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with mail_server() as server:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.DEFAULT_FROM_EMAIL = "Quartermaster <stock@company.test>"
        yield server


def work() -> list[str]:
    """What becomes of the jobs that are due, as if time had gone by."""
    relay_all(*handlers())
    with connections["worker"].cursor() as cursor:
        cursor.execute("UPDATE notifications_job SET run_after = now() WHERE status = 'queued'")
    return run_all()


def written(pdf: bytes) -> str:
    """What stands on a paper in Western letters."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    texts = [zlib.decompress(one).decode("latin-1") for one in streams if one.startswith(b"x")]
    return " ".join(re.findall(r"\((.*?)\) Tj", " ".join(texts)))


def attached(message: Message) -> tuple[str | None, bytes]:
    [part] = [part for part in message.walk() if part.get_content_type() == "application/pdf"]
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return part.get_filename(), content


def test_what_stands_on_the_paper(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create(incoterm="DAP")
        buys.sells(buys.goods.bolt, supplier_sku="THEIR-BOLT")
        AddressFactory(party=buys.supplier.party, street1="Rua B 2", city="Porto")
        buys.goods.warehouse.address = AddressFactory(party=None, kind="site", street1="Gate 3")
        buys.goods.warehouse.save(update_fields=["address"])
        InvoiceLayoutFactory(channel=None, footer="Acme, registered in Lisbon", terms="Pay us soon.")
        order = buys.order((buys.goods.bolt, "1200.5"), expected_on="2040-01-02", note="Ring twice", supplier_reference="Q-9")
        assert f"Purchase order {order.number}: not sent" in written(purchase_order_pdf(order=order))
        order = purchase_order_send(order=purchase_order_submit(order=order))
        order = purchase_order_revise(order=order)
        order = purchase_order_send(order=purchase_order_submit(order=order))
        paper = purchase_order_pdf(order=order)
        said = written(paper)
        for words in (
            f"Purchase order {order.number}, revision 1", "It takes the place of all that we sent before", "Ring twice", "Q-9",
            "2040-01-02", "DAP", "THEIR-BOLT", buys.goods.bolt.sku, "1200.5", "2,401.00", "Total, EUR", "Rua B 2",
            f"Deliver to: {buys.goods.warehouse.name}, Gate 3", buys.supplier.party.name, "Acme, registered in Lisbon",
        ):
            assert words in said, (words, said)
        assert "not sent" not in said and "Pay us soon" not in said, "what customers are told"
        assert purchase_order_pdf(order=order) == paper
        assert "revision 1: canceled" in written(purchase_order_pdf(order=purchase_order_cancel(order=order)))
        PurchaseOrder.objects.filter(pk=order.pk).update(note="Ελληνικά")
        assert b"DejaVuSansMono" in purchase_order_pdf(order=order)


def test_the_supplier_gets_it_by_mail_once(company: Company, server: MailServer) -> None:
    with company.scope():
        buys = Buying.create()
        buys.sells(buys.goods.bolt)
        order = buys.order((buys.goods.bolt, 4), expected_on="2040-01-02")
    api, url = company.api, f"{ORDERS}{order.pk}/"
    assert api.send("post", f"{url}submit/").status_code == 200
    server.refused[ADDRESS] = "451 later"
    assert api.send("post", f"{url}send/").json()["status"] == "sent"
    assert "queued" in work() and not server.inbox
    server.refused.clear()
    assert "queued" not in work() and not work()
    [message] = server.received_by(ADDRESS)
    with company.scope():
        event = OutboxEvent.objects.get(type="purchase_order.sent", aggregate_id=order.pk)
        assert (event.payload["by"], ADDRESS in str(event.payload)) == ("mail", False), "events name no person"
        submitted_by = PurchaseOrder.objects.get(pk=order.pk).requested_by
    assert (message["Subject"], message["Message-ID"]) == (
        f"Purchase order {order.number} from {company.organization.name}", f"<{event.pk}@company.test>",
    )
    assert submitted_by == company.user.pk and message["Reply-To"] == company.user.email
    assert "8.00 EUR without tax, expected on 2040-01-02" in message.as_string()
    name, paper = attached(message)
    assert (name, paper) == (f"{order.number}.pdf", api.get(f"{url}pdf/").content) and order.number in written(paper)
    answer = api.get(f"{url}pdf/", headers={"Accept": "application/pdf"})
    assert answer["Content-Type"] == "application/pdf" and f'"{order.number}.pdf"' in answer["Content-Disposition"]
    entries = api.get(f"/api/v1/journal-entries/?object_type=orders.purchaseorder&object_id={order.pk}").json()
    assert "By mail" in [one["body"] for one in entries["results"]]


def test_a_supplier_without_an_address(acme: Company, bolt: Company) -> None:
    with acme.scope():
        buys = Buying.create(email="")
        order = purchase_order_submit(order=buys.order((buys.goods.bolt, 4)))
    url = f"{ORDERS}{order.pk}/"
    problem = assert_problem(acme.api.send("post", f"{url}send/"), 409, "no_email")
    assert "by: other" in problem["detail"]
    assert_problem(acme.api.send("post", f"{url}send/", {"by": "pigeon"}), 400)
    assert acme.api.send("post", f"{url}send/", {"by": "other"}).json()["status"] == "sent"
    with acme.scope():
        ContactFactory(party=buys.supplier.party, email="second@supplier.test")
        later = purchase_order_submit(order=buys.order((buys.goods.bolt, 4)))
    assert acme.api.send("post", f"{ORDERS}{later.pk}/send/").json()["status"] == "sent", "somebody has an address"
    assert_problem(bolt.api.get(f"{url}pdf/"), 404)


def test_no_mail_about_what_counts_no_longer(company: Company) -> None:
    with company.scope():
        buys = Buying.create()
        told = buys.sent((buys.goods.bolt, 1))
        purchase_order_revise(order=buys.sent((buys.goods.bolt, 2)))
        purchase_order_cancel(order=buys.sent((buys.goods.bolt, 3)))
        purchase_order_send(order=purchase_order_submit(order=buys.order((buys.goods.bolt, 4))), by="other")
        again = purchase_order_revise(order=buys.sent((buys.goods.bolt, 5)))
        purchase_order_send(order=purchase_order_submit(order=again))
    work()
    with company.scope():
        papers = [one.subject.split(" from ")[0] for one in mail.outbox if one.to == [ADDRESS] and one.attachments]
        assert sorted(name for name in papers if "canceled" not in name) == [
            f"Purchase order {told.number}", f"Purchase order {again.number}, revision 1",
        ]
        buys.sent((buys.goods.bolt, 6))
        Contact.objects.all().delete()
    assert "failed" in work(), "somebody has to know"
    with company.scope():
        assert JobAttempt.objects.filter(outcome="failed", error__contains="has an e-mail address").exists()


def subjects() -> list[str]:
    """What the supplier got since it was asked last."""
    work()
    found = [one.subject.split(" from ")[0] + one.subject.partition(" is ")[1] for one in mail.outbox if one.to == [ADDRESS]]
    mail.outbox.clear()
    return found


def test_the_supplier_hears_that_it_is_revised_or_canceled(company: Company) -> None:
    with company.scope():
        buys = Buying.create()
        order = buys.sent((buys.goods.bolt, 4))
        draft = buys.order((buys.goods.bolt, 1))
    api, url, name = company.api, f"{ORDERS}{order.pk}/", f"Purchase order {order.number}"
    assert api.get(url).json()["sent_by"] == "mail" and subjects() == [name]
    assert api.send("post", f"{url}revise/", {"reason": "More of them"}).json()["status"] == "draft"
    work()
    [told] = [one for one in mail.outbox if one.to == [ADDRESS]]
    assert told.subject == f"{name} from {company.organization.name} is being changed" and not told.attachments
    assert "deliver nothing by what we sent before" in told.body and told.reply_to == [company.user.email]
    mail.outbox.clear()
    for verb in ("submit", "revise"):  # they know that it is being changed
        api.send("post", f"{url}{verb}/")
    assert subjects() == []
    api.send("post", f"{url}submit/")
    api.send("post", f"{url}send/")
    api.send("post", f"{url}revise/")
    assert api.send("post", f"{url}cancel/", {"reason": "Too late"}).json()["status"] == "cancelled"
    work()
    [told] = [one for one in mail.outbox if one.to == [ADDRESS]]
    assert "revision 3: canceled from" in told.subject and "deliver nothing of it" in told.body, "and nothing of what was before"
    [(_, paper, _)] = told.attachments
    assert "canceled" in written(paper)
    mail.outbox.clear()
    assert api.send("post", f"{ORDERS}{draft.pk}/cancel/").status_code == 200
    assert subjects() == [], "they never had it"


def test_who_was_told_otherwise_gets_no_mail_unless_asked(company: Company) -> None:
    with company.scope():
        buys = Buying.create()
        first, second, third = (
            purchase_order_send(order=purchase_order_submit(order=buys.order((buys.goods.bolt, 1))), by=by)
            for by in ("other", "other", "mail")
        )
    for order, body in ((first, {}), (second, {"by": "mail"}), (third, {"by": "other"})):
        assert company.api.send("post", f"{ORDERS}{order.pk}/cancel/", body).status_code == 200
    assert subjects() == [f"Purchase order {second.number}: canceled"], "and of the third not even the order"
    with company.scope():
        told = OutboxEvent.objects.filter(type="purchase_order.cancelled").values_list("aggregate_id", "payload__by")
        assert dict(told) == {first.pk: "other", second.pk: "mail", third.pk: "other"}
        order = buys.sent((buys.goods.bolt, 1))
        Contact.objects.all().delete()
    work()
    for verb in ("revise", "cancel"):
        problem = assert_problem(company.api.send("post", f"{ORDERS}{order.pk}/{verb}/"), 409, "no_email")
        assert "by: other" in problem["detail"]
    page = f"{PAGES}{order.pk}/"
    shown = company.admin.get(f"{page}revise/").content.decode()
    assert "I tell them myself" in shown and "By mail to" not in shown
    assert company.admin.post(f"{page}revise/", {"reason": "", "by": "other"}).status_code == 302
    assert "How the supplier hears of it" in company.admin.get(f"{page}cancel/").content.decode()
    done = company.admin.post(f"{page}cancel/", {"reason": "Ordered twice", "by": "other"}, follow=True).content.decode()
    assert f"Purchase order {order.number} is canceled" in done


def test_in_the_admin(acme: Company) -> None:
    with acme.scope():
        buys = Buying.create()
        order = purchase_order_submit(order=buys.order((buys.goods.bolt, 4)))
    browser, url = acme.admin, f"{PAGES}{order.pk}/"
    page = browser.get(f"{url}change/").content.decode()
    assert f"{url}send/" in page and f"{url}pdf/" in page
    assert browser.get(f"{url}pdf/").content.startswith(b"%PDF")
    asks = browser.get(f"{url}send/").content.decode()
    assert f"By mail to {ADDRESS}" in asks and "I tell them myself" in asks
    with acme.scope():
        Contact.objects.all().delete()
    alone = browser.get(f"{url}send/").content.decode()
    assert "By mail to" not in alone and "has an e-mail address" in alone
    assert b"is not one of the available choices" in browser.post(f"{url}send/", {"by": "mail"}).content
    done = browser.post(f"{url}send/", {"by": "other"}, follow=True).content.decode()
    assert f"Purchase order {order.number} is sent." in done
    viewer = acme.admin_as(VIEWER)
    assert viewer.get(f"{url}pdf/").status_code == 200 and viewer.get(f"{url}send/").status_code == 403
