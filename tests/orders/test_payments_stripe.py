"""Payments at Stripe: its own library, against a server on loopback, by the jobs that a worker runs."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from notifications.models import InboundWebhook, OutboxEvent
from notifications.services.inbound_sources import inbound_source_create
from orders.models import Payment, PaymentAccount, SalesOrder
from orders.services import payment_runs
from orders.services.payment_accounts import payment_account_write
from orders.services.payment_runs import payment_run, payments_resume_everywhere
from orders.services.payments import Source, payment_authorize, payment_capture, payment_refund, sales_order_refund
from orders.services.sales_orders import sales_order_cancel, sales_order_place
from tests.companies import Api, Company
from tests.notifications.at_work import quiet, run_all
from tests.notifications.processes import eventually
from tests.notifications.receiver import Received, Receiver, receiver
from tests.orders.selling import Shop
from tests.orders.stripe_server import KEY, asked, card, stripe_server
from tests.orders.test_payments import sound

pytestmark = pytest.mark.once

PAY = "/v1/payment_intents/"
WITH_3D_SECURE = "4000002500003155"
DECLINED = "4000000000000341"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with stripe_server() as url:
        yield url


@pytest.fixture
def stripe(address: str, settings: Any, commits: None) -> str:
    settings.STRIPE_API = address
    quiet()
    return address


@pytest.fixture
def shop(stripe: str, new_company: Any) -> Any:
    company = new_company()
    with company.scope():
        made = Shop.create(stock=100)
        payment_account_write(account=PaymentAccount(code="main", name="Main"), secret_key=KEY)
    return company, made


def ordered(company: Company, shop: Shop) -> SalesOrder:
    with company.scope():
        return sales_order_place(order=shop.cart(bolts=4))


def authorized(company: Company, shop: Shop, url: str, number: str = "4242424242424242") -> Payment:
    order = ordered(company, shop)
    with company.scope():
        made = payment_authorize(order=order, source=Source("stripe", payment_method=card(url, number)))
        assert made.status == "pending"
    run_all()
    return reread(company, made)


def reread(company: Company, payment: Payment) -> Payment:
    with company.scope():
        return Payment.objects.select_related("order").get(pk=payment.pk)


def test_from_the_card_to_the_refund(shop: tuple[Company, Shop], stripe: str) -> None:
    company, goods = shop
    promised = authorized(company, goods, stripe)
    assert (promised.status, promised.order.payment_status) == ("succeeded", "authorized")
    assert asked(stripe, f"{PAY}{promised.provider_reference}")["amount"] == 2000
    with company.scope():
        taken = payment_capture(payment=promised, amount=Decimal("12.50"))
    run_all()
    taken = reread(company, taken)
    assert (taken.status, taken.order.payment_status, taken.order.paid_total) == ("succeeded", "partly_paid", Decimal("12.5"))
    assert asked(stripe, f"{PAY}{promised.provider_reference}")["status"] == "succeeded"
    with company.scope():
        assert Payment.objects.get(kind="void").amount == Decimal("7.5")  # which the provider has let go
        [back] = sales_order_refund(order=promised.order, amount=Decimal(5), idempotency_key="rma")
    run_all()
    assert reread(company, back).provider_reference.startswith("re_")
    own = [one for one in asked(stripe, f"/v1/refunds?payment_intent={promised.provider_reference}")["data"] if one["metadata"]]
    assert [(one["amount"], one["metadata"]["payment"]) for one in own] == [(500, str(back.pk))]
    with company.scope():
        sound()
        assert KEY.encode() not in bytes(PaymentAccount.objects.get().secret)


def test_a_card_that_is_declined(shop: tuple[Company, Shop], stripe: str) -> None:
    company, goods = shop
    failed = authorized(company, goods, stripe, DECLINED)
    assert (failed.status, failed.error_code, failed.order.payment_status) == ("failed", "card_declined", "unpaid")
    with company.scope():
        assert OutboxEvent.objects.get(type="payment.failed").payload["code"] == "card_declined"
        again = payment_authorize(order=failed.order, source=Source("stripe", payment_method=card(stripe)))
    run_all()
    assert reread(company, again).status == "succeeded"


@pytest.mark.parametrize("kind", ["capture", "refund"])
def test_a_worker_that_dies_after_the_call_takes_and_gives_back_once(
    shop: tuple[Company, Shop], stripe: str, kind: str, monkeypatch: pytest.MonkeyPatch,
) -> None:
    company, goods = shop
    payment = authorized(company, goods, stripe)
    with company.scope():
        payment = payment_capture(payment=payment)
    if kind == "refund":
        run_all()
        with company.scope():
            payment = payment_refund(payment=payment, amount=Decimal(5))

    class Killed(BaseException):
        pass

    def die(**values: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("orders.services.payment_runs.payment_settle", die)
        with pytest.raises(Killed), company.scope():
            payment_run(payment_id=payment.pk)
    assert reread(company, payment).status == "pending"
    run_all()
    done = reread(company, payment)
    assert done.status == "succeeded"
    intent = reread(company, authorization_of(company)).provider_reference
    own = [one for one in asked(stripe, f"/v1/refunds?payment_intent={intent}")["data"] if one["metadata"]]
    assert len(own) == (1 if kind == "refund" else 0)
    with company.scope():
        assert payment_run(payment_id=payment.pk) == "succeeded"
        sound()


def authorization_of(company: Company) -> Payment:
    with company.scope():
        return Payment.objects.get(kind="authorization")


def test_what_nobody_answers_stays_under_way_and_is_asked_again(
    shop: tuple[Company, Shop], stripe: str, settings: Any, monkeypatch: pytest.MonkeyPatch,
) -> None:
    company, goods = shop
    settings.STRIPE_API = "http://127.0.0.1:9"
    waiting = authorized(company, goods, stripe)
    assert (waiting.status, waiting.provider_reference) == ("pending", "")
    settings.STRIPE_API = stripe
    quiet()  # its job is dead
    monkeypatch.setattr(payment_runs, "STALE", payment_runs.STALE.replace("15 minutes", "0 minutes"))
    assert payments_resume_everywhere() >= 1
    run_all()
    assert reread(company, waiting).status == "succeeded"


def test_the_customer_has_to_confirm_and_the_provider_says_so(
    shop: tuple[Company, Shop], stripe: str,
) -> None:
    company, goods = shop
    waiting = authorized(company, goods, stripe, WITH_3D_SECURE)
    assert waiting.status == "action_required"
    url = f"/api/v1/payments/{waiting.pk}/"
    secret = company.api.send("post", f"{url}client-secret/").json()["client_secret"]
    asked(stripe, f"{PAY}{waiting.provider_reference}/_authenticate", {"client_secret": secret, "success": True})
    with company.scope():
        source = inbound_source_create(key="stripe", name="Stripe", scheme="stripe", secret="whsec_of_the_tests").row
    with receiver() as hooks:
        asked(stripe, "/_config/webhooks/one", {"url": hooks.url, "secret": "whsec_of_the_tests"})
        with company.scope():
            payment_run(payment_id=waiting.pk)
            taken = payment_capture(payment=reread(company, waiting))
            assert payment_run(payment_id=taken.pk) == "succeeded"
        # A second after what it tells of: of payments of the tests before this one too.
        ours = partial(told_of, hooks, waiting.provider_reference)
        eventually(ours)
        asked(stripe, "/_config/webhooks/one", {"url": hooks.url, "secret": "none", "events": []})
    [told] = ours()
    answers = [sent(source.pk, told.body, told.headers["stripe-signature"]) for _ in range(2)]
    assert answers == [202, 200]
    assert sent(source.pk, told.body.replace(b"2000", b"1"), told.headers["stripe-signature"]) == 401
    run_all()
    with company.scope():
        assert InboundWebhook.objects.get(status="processed").type == "payment_intent.succeeded"
        assert OutboxEvent.objects.filter(type="payment.captured").count() == 1
        assert SalesOrder.objects.get(pk=waiting.order_id).payment_status == "paid"


def told_of(hooks: Receiver, reference: str) -> list[Received]:
    return [one for one in hooks.received if one.json["data"]["object"]["id"] == reference]


def sent(source: Any, body: bytes, signature: str) -> int:
    response = Api().post(f"/api/v1/inbound/{source}/", body, content_type="application/json",
                          headers={"Stripe-Signature": signature})
    return int(response.status_code)


def test_canceling_voids_and_refunds_at_the_provider(shop: tuple[Company, Shop], stripe: str) -> None:
    company, goods = shop
    promised, another = authorized(company, goods, stripe), authorized(company, goods, stripe)
    with company.scope():
        taken = payment_capture(payment=another)
    run_all()
    with company.scope():
        for order in (promised.order, another.order):
            sales_order_cancel(order=order)
    run_all()
    with company.scope():
        assert Payment.objects.get(parent=promised).status == Payment.objects.get(parent=taken).status == "succeeded"
    assert asked(stripe, f"{PAY}{promised.provider_reference}")["status"] == "canceled"
    assert reread(company, taken).order.payment_status == "refunded"


def test_a_promise_that_ends_at_the_provider_ends_here(shop: tuple[Company, Shop], stripe: str) -> None:
    company, goods = shop
    promised = authorized(company, goods, stripe)
    asked(stripe, f"{PAY}{promised.provider_reference}/cancel", {})
    with company.scope():
        for _ in range(2):
            payment_run(payment_id=promised.pk)
        assert Payment.objects.get(kind="void").reason == "It ended at the provider."
        assert SalesOrder.objects.get(pk=promised.order_id).payment_status == "unpaid"
