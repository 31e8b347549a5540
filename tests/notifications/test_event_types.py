"""The catalogue: what is declared, what it looks like, and that what the product tells conforms."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from jsonschema import Draft202012Validator, FormatChecker, ValidationError

from accounts.permissions import known
from accounts.services.people import person_add, person_change, person_leave, person_restore
from core.models import ArchivableModel
from inventory.models import ReorderTask
from inventory.queries.closings import today
from inventory.services.reorder_tasks import TaskOrder, tasks_assign, tasks_dismiss, tasks_order, tasks_reopen, tasks_snooze
from inventory.services.replenishment import reorder_check
from notifications.event_types import EventType, event_types
from notifications.models import OutboxEvent
from notifications.object_events import objects
from notifications.patterns import compile_pattern
from notifications.registry import handlers
from notifications.services.alerting import alerts_evaluate
from notifications.services.inbound import inbound_webhook_process
from notifications.services.watching import watched_compare
from notifications.services.webhooks import webhook_endpoint_disable
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem
from tests.factories import BY_MODEL
from tests.factories.notifications import AlertRuleFactory, InboundWebhookFactory, WatchFactory, WebhookEndpointFactory
from tests.inventory.counting import count_happens
from tests.inventory.goods import Goods
from tests.inventory.trading import stock_happens
from tests.orders.happening import orders_happen

TYPES = list(event_types().values())
each_type = pytest.mark.parametrize("declared", TYPES, ids=lambda declared: declared.name)


def validator(declared: EventType) -> Draft202012Validator:
    Draft202012Validator.check_schema(declared.schema)
    return Draft202012Validator(declared.schema, format_checker=FormatChecker())


@each_type
def test_an_example_is_what_its_schema_says(declared: EventType) -> None:
    validator(declared).validate(declared.example)
    assert declared.description.endswith(".")
    assert declared.name.startswith(f"{declared.aggregate}.") or declared.shape, "an object's events bear its name"


@each_type
def test_a_pattern_finds_the_example(declared: EventType) -> None:
    assert compile_pattern({"type": [declared.name], "bus": ["default"]})(declared.envelope())


@each_type
def test_a_schema_refuses_what_lacks_a_field(declared: EventType) -> None:
    with pytest.raises(ValidationError):
        validator(declared).validate({})


def test_the_types_are_these() -> None:
    verbs = ("created", "updated", "deleted", "restored")
    changed = {f"{name}.{verb}" for name in ("product", "product_variant", "user") for verb in verbs}
    catalog = ("product_attribute_value", "product_barcode", "product_relation", "bom_line", "price_list", "price_list_item")
    stock = {f"{name}.{verb}" for name in ("stock_item", "promotion", *catalog) for verb in verbs[:3]}
    stock |= {f"reorder_task.{verb}" for verb in ("ordered", "snoozed", "assigned", "dismissed", "reopened")}
    others = {"stock.posted", "stock.low", "reorder.tasks_created", "inbound_webhook.received", "webhook_endpoint.disabled"}
    held = {"lot.status_changed", "stock.reserved", "stock.reservation_ended", "stock.promise_lost", "stock.closing_changed"}
    approved = {"stock_adjustment.requested", "stock_adjustment.decided"}
    packed = {f"logistic_unit.{verb}" for verb in (*verbs[:3], "contents_changed")}
    sent = {f"transfer_order.{verb}" for verb in (*verbs[:3], "shipped", "received", "closed")}
    partners = {"webhook.delivered", "watch.hit"}
    watched = {"alert.opened", "alert.resolved"}
    counted = {f"stock_count.{verb}" for verb in ("opened", "approval_requested", "decided", "posted")}
    sold = {f"{name}.{verb}" for name in ("channel", "sales_order", "purchase_order") for verb in verbs[:3]}
    sold |= {f"customer.{verb}" for verb in verbs}
    sold |= {f"order.{verb}" for verb in (
        "placed", "confirmed", "packed", "shipped", "delivered", "completed", "held", "released", "failed", "cancelled",
        "unpacked", "picking_started", "picking_stopped", "changed", "stuck", "split",
    )}
    sold |= {f"shipment.{verb}" for verb in (
        "packed", "reopened", "handed_over", "in_transit", "delivered", "failed", "returned", "cancelled",
    )}
    sold |= {f"pick_list.{verb}" for verb in (
        "created", "started", "picked", "put_back", "short", "finished", "cancelled",
    )}
    bought = {f"purchase_order.{verb}" for verb in (
        "submitted", "approved", "approval_withdrawn", "rejected", "revised", "sent", "received", "returned", "billed",
        "unbilled", "closed", "cancelled",
    )}
    billed = {f"return.{verb}" for verb in (
        "requested", "approved", "received", "inspected", "refunded", "replaced", "rejected", "closed",
    )}
    billed |= {f"supplier_bill.{verb}" for verb in ("submitted", "approved", "rejected", "voided", "cancelled")}
    billed |= {"invoice.issued", *(f"landed_cost.{verb}" for verb in ("posted", "reversed", "cancelled"))}
    here = changed | stock | others | held | approved | packed | sent | counted | partners | watched
    paid = {f"payment.{verb}" for verb in ("authorized", "captured", "refunded", "voided", "failed")}
    assert {one.name for one in TYPES} == here | sold | bought | billed | paid


def test_who_listens_listens_to_something() -> None:
    listening = {handler.type for handler in handlers() if not handler.task.startswith("tests.")}
    assert listening <= {one.name for one in TYPES}


def everything_happens() -> None:
    for told in objects().values():
        row = BY_MODEL[told.model]()
        rows = told.model._default_manager.filter(pk=row.pk)
        texts = [one for one in told.fields if one.get_internal_type() in ("CharField", "DecimalField") and one.name != "sscc"]
        field = next(one for one in texts if getattr(row, one.name) is not None)
        rows.update(**{field.name: "9" if field.get_internal_type() == "DecimalField" else "other"})
        for archived_at in (timezone.now(), None) if issubclass(told.model, ArchivableModel) else ():
            rows.update(archived_at=archived_at)
        rows.delete()
    user = person_add(email="ada@example.test", name="Ada", granter=known())
    person_change(user=user, age=36)
    person_leave(user=user)
    person_restore(user_id=user.pk)
    goods = Goods.create()
    goods.receive(4)
    goods.rule()
    reorder_check()
    tasks_happen()
    stock_happens(goods)
    count_happens(goods)
    orders_happen(goods)
    webhook_endpoint_disable(endpoint_id=WebhookEndpointFactory().pk, reason="It answered 410.", by_itself=True)
    rule = AlertRuleFactory(metric="webhooks_failing")
    alerts_evaluate()
    rule.delete()
    alerts_evaluate()
    inbound_webhook_process(webhook_id=InboundWebhookFactory().pk, is_last_attempt=False)
    watch = WatchFactory(condition="appears")
    watched_compare(seen={str(watch.pk): {"found": True, "value": 12.5, "of": "", "at": timezone.now().isoformat()}})


def tasks_happen() -> None:
    tasks = list(ReorderTask.objects.filter(status="open").values_list("pk", flat=True))
    tasks_assign(tasks=tasks, assignee_id=None)
    tasks_snooze(tasks=tasks, until=today() + timedelta(days=1))
    tasks_order(orders=[TaskOrder(task) for task in tasks])
    tasks_reopen(tasks=tasks)
    tasks_dismiss(tasks=tasks, reason="No")


def test_what_the_product_tells_conforms_and_it_tells_of_everything(acme: Company) -> None:
    with acme.scope():
        everything_happens()
        events = list(OutboxEvent.objects.all())
    by_name = {one.name: one for one in TYPES}
    for event in events:
        declared = by_name[event.type]
        validator(declared).validate(event.payload)
        assert (event.bus, event.schema_version, event.aggregate_type) == (declared.bus, declared.version, declared.aggregate)
    by_a_worker = {"webhook.delivered"}  # see tests/orders/test_partners.py
    assert {event.type for event in events} == by_name.keys() - by_a_worker


# --- The catalogue ------------------------------------------------------------------------------------------


def test_the_page_is_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    call_command("event_types", check=True)
    other = tmp_path / "docs" / "page.md"
    other.parent.mkdir()
    monkeypatch.setattr("notifications.management.commands.event_types.Command.file", other)
    with pytest.raises(CommandError, match=r"run manage\.py event_types"):
        call_command("event_types", check=True)
    call_command("event_types")
    call_command("event_types", check=True)
    assert "## stock.low" in other.read_text()


def test_any_member_and_any_key_reads_the_catalogue(acme: Company) -> None:
    found: list[dict[str, Any]] = acme.api_as("viewer").get("/api/v1/event-types/").json()["results"]
    assert [one["name"] for one in found] == [one.name for one in TYPES]
    single = acme.api_by_key("inventory.view_product").get("/api/v1/event-types/stock.low/").json()
    assert single == next(one for one in found if one["name"] == "stock.low")
    assert single["schema"]["properties"]["level"] == {"type": "number", "description": "How much of it there is."}
    assert single["example"]["payload"]["sku"] == "BR-1001"
    assert_problem(acme.api.get("/api/v1/event-types/stock.high/"), 404)
    assert_problem(Api().get("/api/v1/event-types/"), 401, "not_authenticated")
