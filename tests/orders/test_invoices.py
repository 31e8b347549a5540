"""From an order to its invoices and credit notes: what is on them, what they count, and that they stay."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Address, JournalEntry, NumberSequence, Party
from core.errors import Invalid
from notifications.models import OutboxEvent
from orders.models import Invoice, InvoiceItem
from orders.services.credit_notes import CreditLine, ReturnedLine, credit_note_draft, credit_notes_draft_for_return
from orders.services.invoices import (
    InvoiceLine,
    invoice_change,
    invoice_delete,
    invoice_draft_from_order,
    invoice_issue,
)
from orders.services.sales_orders import sales_order_cancel
from tests.companies import Company
from tests.factories.invoices import InvoiceLayoutFactory
from tests.inventory.test_races import at_once
from tests.orders.invoicing import Sold, invoiced, issued, order_of
from tests.orders.test_sales_orders import refused, sound

PARCEL = ("shipping", "4.90", 19)
OFF = ("discount", "-10", 19)


def test_what_has_left_is_invoiced_and_counted(acme: Company) -> None:
    with acme.scope():
        order = order_of(Sold(10, "10"), Sold(3, "7"), beside=[PARCEL, OFF])
        first, second = order.lines.order_by("line")
        for line, gone in ((first, 4), (second, 0)):
            order.lines.filter(pk=line.pk).update(shipped_quantity=gone, picked_quantity=gone, allocated_quantity=gone)
        draft = invoice_draft_from_order(order=order)
        assert (draft.number, draft.status, invoiced(order)) == (None, "draft", [4, 0])
        kinds = list(draft.items.order_by("line").values_list("kind", "quantity", "net_amount"))
        off = Decimal("-3.31")  # 40 of the 121 that the goods are worth
        assert kinds == [("goods", 4, 40), ("shipping", 1, Decimal("4.90")), ("discount", 1, off)]
        invoice = invoice_issue(invoice=draft)
        assert (invoice.number, invoice.kind, invoice.net_total) == ("INV-000001", "invoice", Decimal("41.59"))
        refused("nothing_to_invoice", invoice_draft_from_order, order=order)
        refused("over_invoiced", invoice_draft_from_order, order=order, lines=[InvoiceLine(first.pk, Decimal(7))])
        issued(order, lines=[InvoiceLine(first.pk, Decimal(5))])
        rest = issued(order, basis="ordered")
        assert (rest.number, invoiced(order)) == ("INV-000003", [10, 3])
        assert sum(Invoice.objects.filter(order=order).values_list("total", flat=True)) == order.total
        assert NumberSequence.objects.get(document_type="invoice").gapless
        [told] = OutboxEvent.objects.filter(aggregate_id=invoice.pk, type="invoice.issued")
        assert (told.payload["number"], told.payload["order_number"]) == ("INV-000001", order.number)
        assert JournalEntry.objects.get(object_id=invoice.pk).to_state == "issued"
        sound()


def test_the_statements_do_not_grow_with_the_lines(acme: Company) -> None:
    with acme.scope():
        counts = []
        invoice_issue(invoice=credit_note_draft(invoice=issued(order_of(Sold()))))  # which makes the sequences
        for size in (2, 20):
            order = order_of(*[Sold(2)] * size, beside=[PARCEL, OFF])
            with CaptureQueriesContext(connection) as sent:
                invoice = issued(order)
                invoice_issue(invoice=credit_note_draft(invoice=invoice))
            counts.append(len(sent))
        assert counts == [51, 51]


def test_a_cart_and_an_order_of_nothing_have_no_invoice(acme: Company) -> None:
    with acme.scope():
        cart = order_of(Sold(), shipped=False)
        cart.status = "draft"
        cart.save(update_fields=["status"])
        refused("wrong_status", invoice_draft_from_order, order=cart)
        refused("nothing_to_invoice", invoice_draft_from_order, order=order_of(Sold(), beside=[PARCEL], shipped=False))
        gone = order_of(Sold(5))
        gone.lines.update(returned_quantity=2)
        assert issued(gone).net_total == 30, "what came back is not asked for"


def test_a_draft_changes_and_goes_and_an_issued_invoice_stays(acme: Company) -> None:
    with acme.scope():
        order = order_of(Sold(2))
        draft = invoice_draft_from_order(order=order)
        invoice_delete(invoice=draft)
        assert invoiced(order) == [0]
        later = timezone.localdate() + timedelta(days=60)
        invoice = invoice_change(invoice=invoice_draft_from_order(order=order), due_on=later, note="Thank you")
        invoice = invoice_issue(invoice=invoice)
        assert (invoice.due_on, invoice.note) == (later, "Thank you")
        for verb in (invoice_change, invoice_delete, invoice_issue):
            assert "nothing follows" in refused("wrong_status", verb, invoice=invoice).detail
        with pytest.raises(IntegrityError, match="stays as it was"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("UPDATE orders_invoice SET total = 1 WHERE id = %s", [invoice.pk])


@pytest.mark.parametrize("change", [
    "UPDATE orders_invoiceitem SET quantity = 1 WHERE invoice_id = %s", "DELETE FROM orders_invoiceitem WHERE invoice_id = %s",
    "UPDATE orders_invoiceitem SET invoice_id = (SELECT id FROM orders_invoice WHERE status = 'draft') WHERE invoice_id = %s",
    "UPDATE orders_invoiceitem SET invoice_id = %s, line = 9 WHERE invoice_id <> %s",
    "DELETE FROM orders_invoice WHERE id = %s", "UPDATE orders_invoice SET status = 'draft' WHERE id = %s",
])
def test_the_database_keeps_what_is_issued(change: str, acme: Company) -> None:
    with acme.scope():
        invoice = issued(order_of(Sold(2)))
        invoice_draft_from_order(order=order_of(Sold(2)))
        with pytest.raises(IntegrityError, match="stay"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(change, [invoice.pk] * change.count("%s"))


def test_when_it_is_due_and_who_buys_of_whom(acme: Company) -> None:
    with acme.scope():
        party = Party.objects.create(name="Smith Motors", payment_terms_days=30, tax_number="DE123456789")
        Address.objects.create(party=party, street1="Weg 1", city="Ulm", country="DE")
        order = order_of(Sold(2), customer__party=party)
        today = timezone.localdate()
        invoice = issued(order, lines=[InvoiceLine(order.lines.get().pk, Decimal(1))])
        assert invoice.due_on == today + timedelta(days=30)
        invoice.refresh_from_db()
        assert (invoice.buyer["name"], invoice.buyer["city"], invoice.seller["name"]) == ("Smith Motors", "Ulm", "Acme")
        party.name = "Smith & Daughter"
        party.save(update_fields=["name"])
        invoice.refresh_from_db()
        assert invoice.buyer["name"] == "Smith Motors"
        late = invoice_draft_from_order(order=order, due_on=today - timedelta(days=2))
        refused("due_before_issue", invoice_issue, invoice=late)
        InvoiceLayoutFactory(channel=None, payment_days=14)
        other = order_of(Sold(1), billing_address={"name": "Ada", "city": "Porto", "country": "PT"})
        invoice = issued(other)
        assert (invoice.due_on, invoice.buyer["name"]) == (today + timedelta(days=14), "Ada")


def test_goods_are_credited_with_their_part_of_the_discount(acme: Company) -> None:
    with acme.scope():
        order = order_of(Sold(10, "10"), Sold(1, "50"), beside=[PARCEL, ("discount", "-15", 19)])
        invoice = issued(order)
        goods = invoice.items.get(line=1)
        credit = credit_note_draft(invoice=invoice, lines=[CreditLine(goods.pk, Decimal(4))])
        assert [(one.kind, one.net_amount) for one in credit.items.order_by("line")] == [("goods", 40), ("discount", -4)]
        assert (credit.total, invoiced(order)) == (Decimal("42.84"), [10, 1]), "a draft counts nothing"
        credit = invoice_issue(invoice=credit)
        assert (credit.number, credit.corrects_id, credit.due_on, invoiced(order)) == ("CN-000001", invoice.pk, None, [6, 1])
        refused("over_credited", credit_note_draft, invoice=invoice, lines=[CreditLine(goods.pk, Decimal(7))])
        again = issued(order)
        assert [(one.kind, one.net_amount) for one in again.items.order_by("line")] == [("goods", 40), ("discount", -4)]
        rest = invoice_issue(invoice=credit_note_draft(invoice=invoice))
        assert rest.total + credit.total == invoice.total and invoiced(order) == [4, 0]
        refused("nothing_to_credit", credit_note_draft, invoice=invoice)
        refused("wrong_status", credit_note_draft, invoice=rest)
        sound()


def test_money_alone_is_credited_and_not_invoiced_again(acme: Company) -> None:
    with acme.scope():
        order = order_of(Sold(3, "9.99", 19), Sold(1, "20", 7))
        invoice = issued(order)
        credit = invoice_issue(invoice=credit_note_draft(invoice=invoice, amount=Decimal(10)))
        assert (credit.total, [one["rate"] for one in credit.taxes], invoiced(order)) == (10, ["19", "7"], [3, 1])
        item = invoice.items.get(line=2)
        credit_note_draft(invoice=invoice, lines=[CreditLine(item.pk, amount=Decimal(5))])
        refused("nothing_to_invoice", invoice_draft_from_order, order=order)
        left = invoice.total - 15
        why = refused("over_credited", credit_note_draft, invoice=invoice, amount=left + Decimal("0.01"))
        assert f"{left.normalize():f} are left" in why.detail
        for wrong in ({"amount": Decimal("0.001")}, {"amount": Decimal(1), "lines": []}, {"lines": []}, {"amount": Decimal(-1)}):
            with pytest.raises(Invalid):
                credit_note_draft(invoice=invoice, **wrong)
        assert credit_note_draft(invoice=invoice, amount=left).total == left
        sound()


def test_what_comes_back_is_credited_where_it_was_invoiced(acme: Company) -> None:
    with acme.scope():
        order = order_of(Sold(10), Sold(1))
        line, other = order.lines.order_by("line")
        first = issued(order, lines=[InvoiceLine(line.pk, Decimal(6))])
        second = issued(order, lines=[InvoiceLine(line.pk, Decimal(3))])
        made = credit_notes_draft_for_return(
            order=order, lines=[ReturnedLine(line.pk, Decimal(5)), ReturnedLine(other.pk, Decimal(1))], note="RMA-1",
        )
        found = [(one.corrects_id, one.items.get().quantity, one.note) for one in made]
        assert found == [(second.pk, 3, "RMA-1"), (first.pk, 2, "RMA-1")], "the last invoice first; what was not invoiced, never"
        sound()


def test_numbers_have_no_gaps_though_some_give_up(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        drafts = [invoice_draft_from_order(order=order_of(Sold(2))) for _ in range(9)]

    def issue(number: int) -> str:
        with company.scope():
            invoice = invoice_issue(invoice=drafts[number])
            if number % 3 == 1:
                raise RuntimeError("changed its mind")
            if number % 3 == 2:  # its connection dies with the number in hand
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
        return str(invoice.number)

    answers = [answer for answer in at_once(9, issue) if answer.startswith("INV")]
    with company.scope():
        left = Invoice.objects.filter(status="draft")
        assert sorted(answers) == ["INV-000001", "INV-000002", "INV-000003"] and left.count() == 6
        for draft in left:
            invoice_issue(invoice=draft)
        assert sorted(Invoice.objects.values_list("counter", flat=True)) == list(range(1, 10))
        sound()


def test_an_invoice_is_credited_once_however_many_try(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        invoice = issued(order_of(Sold(10)))
        item = invoice.items.get()

    def credit(number: int) -> Decimal:
        with company.scope():
            of = {"amount": Decimal(50)} if number % 2 else {"lines": [CreditLine(item.pk, Decimal(4))]}
            return invoice_issue(invoice=credit_note_draft(invoice=invoice, **of)).total

    answers = at_once(8, credit)
    done = [one for one in answers if isinstance(one, Decimal)]
    with company.scope():
        credited = sum(Invoice.objects.filter(corrects=invoice).values_list("total", flat=True))
        assert credited == sum(done) <= invoice.total and len(done) >= 2
        assert all("over_credited" in one or "left to credit" in one for one in answers if isinstance(one, str))
        sound()


def test_one_line_is_invoiced_once_however_many_try(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        order = order_of(Sold(10))

    def draft(number: int) -> Any:
        with company.scope():
            return invoice_draft_from_order(order=order).net_total

    answers = at_once(5, draft)
    assert [one for one in answers if isinstance(one, Decimal)] == [100]
    with company.scope():
        assert (InvoiceItem.objects.count(), invoiced(order)) == (1, [10])




def test_an_order_is_canceled_once_nobody_is_asked_for_its_goods(acme: Company) -> None:
    with acme.scope():
        order = order_of(Sold(4), Sold(2), beside=[PARCEL], shipped=False)
        first, second = order.lines.order_by("line")
        invoice = issued(order, basis="ordered", lines=[InvoiceLine(first.pk, Decimal(4))])
        draft = invoice_draft_from_order(order=order, lines=[InvoiceLine(second.pk, Decimal(2))])
        assert "INV-000001" in refused("invoiced", sales_order_cancel, order=order).detail
        assert invoiced(order) == [4, 2]
        invoice_issue(invoice=credit_note_draft(invoice=invoice))
        assert sales_order_cancel(order=order).status == "cancelled"
        assert (invoiced(order), Invoice.objects.filter(pk=draft.pk).exists()) == ([0, 0], False)
        refused("wrong_status", invoice_draft_from_order, order=order, basis="ordered")
        sound()
