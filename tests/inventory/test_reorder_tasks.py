"""What people decide about reorder tasks: order, snooze, assign, dismiss; and what is on its way."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from accounts.models import Membership, Party
from core.errors import Conflict, Invalid, NotFound
from core.invariants import broken
from inventory.models import ReorderRule, ReorderTask, Supplier, SupplierProduct
from inventory.queries.closings import today
from inventory.services.reorder_tasks import TaskOrder, tasks_assign, tasks_dismiss, tasks_order, tasks_reopen, tasks_snooze
from inventory.services.replenishment import reorder_check, reorder_rules_settle
from inventory.services.reversal import stock_reverse
from notifications.models import OutboxEvent
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.inventory.goods import Goods
from tests.inventory.test_races import at_once
from tests.limited import limited_api

TASKS = "/api/v1/reorder-tasks/"
Basis = ReorderRule.Basis


def seller(code: str = "S1", **values: Any) -> Supplier:
    found: Supplier = Supplier.objects.create(party=Party.objects.create(name=f"Bolts {code}"), code=code, **values)
    return found


def low(goods: Goods, **values: Any) -> ReorderTask:
    """The task of a rule whose shelf is empty."""
    goods.rule(**values)
    assert reorder_check() == 1
    task: ReorderTask = ReorderTask.objects.order_by("-pk")[0]
    return task


def level() -> Decimal:
    found: Decimal = ReorderRule.objects.get().level
    return found


def sound() -> bool:
    return not [rows for _, rows in broken() if rows]


def test_what_is_ordered_is_on_its_way_until_it_comes(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        task = low(goods, minimum=5, basis=Basis.PROJECTED, order_quantity=10)
        tasks_order(orders=[TaskOrder(task.pk)])
        assert (level(), sound()) == (10, True)
        assert reorder_check() == 0
        arrived = goods.receive(4)
        task.refresh_from_db()
        assert (task.status, task.received_quantity, level(), sound()) == ("ordered", 4, 10, True)
        goods.receive(3, to=goods.quarantine)
        assert (level(), sound()) == (7, True), "what is in quarantine is there, and of no use yet"
        stock_reverse(moves=arrived.moves)
        task.refresh_from_db()
        assert (task.received_quantity, level(), sound()) == (3, 7, True)
        goods.receive(9)
        task.refresh_from_db()
        assert (task.status, task.received_quantity, level(), sound()) == ("done", 12, 9, True)


def test_stock_that_is_found_does_not_finish_an_order(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        task = low(goods, minimum=5)
        tasks_order(orders=[TaskOrder(task.pk, Decimal(20))])
        goods.adjust(change=50)
        task.refresh_from_db()
        assert (task.status, task.received_quantity) == ("ordered", 0)
        goods.issue(48)
        assert reorder_check() == 0, "it has been ordered"


def test_orders_many_at_once_or_none(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        ours, theirs = seller(lead_time_days=3), seller("S2", lead_time_days=30)
        SupplierProduct.objects.create(supplier=theirs, variant=goods.bolt, supplier_sku="B", lead_time_days=12)
        goods.rule(preferred_supplier=ours)
        goods.rule(variant=goods.nut, preferred_supplier=ours, lead_time_days=7)
        reorder_check()
        bolt, nut = ReorderTask.objects.order_by("variant__sku")
        assert [(task.due_on - today()).days for task in (bolt, nut)] == [3, 7]
        orders = [TaskOrder(bolt.pk, Decimal(9), theirs.pk), TaskOrder(nut.pk, due_on=today() + timedelta(days=2))]
        tasks_order(orders=orders)
        bolt, nut = ReorderTask.objects.order_by("variant__sku")
        assert (bolt.supplier, bolt.ordered_quantity, (bolt.due_on - today()).days) == (theirs, 9, 12)
        assert (nut.supplier, nut.ordered_quantity, (nut.due_on - today()).days) == (ours, nut.suggested_quantity, 2)
        told = [event.payload for event in OutboxEvent.objects.filter(type="reorder_task.ordered").order_by("id")]
        assert [(one["sku"], one["quantity"]) for one in told] == [("BOLT", 9), ("NUT", 6)]
        tasks_reopen(tasks=[nut.pk])
        with pytest.raises(Conflict, match="BOLT in W1 is ordered already"), transaction.atomic():
            tasks_order(orders=orders)
        assert ReorderTask.objects.get(pk=nut.pk).status == "open"


def test_many_cost_what_one_costs(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        for variant in [goods.bolt, *(goods.tracked("none", f"PART-{number}") for number in range(7))]:
            goods.rule(variant=variant, preferred_supplier=None)
        reorder_check()
        one, *many = ReorderTask.objects.values_list("pk", flat=True)
        counts = []
        for chosen in ([one], many):
            with CaptureQueriesContext(connection) as asked:
                tasks_order(orders=[TaskOrder(key) for key in chosen])
                tasks_reopen(tasks=chosen)
                tasks_snooze(tasks=chosen, until=today() + timedelta(days=1))
                tasks_assign(tasks=chosen, assignee_id=None)
                tasks_dismiss(tasks=chosen, reason="None")
                tasks_reopen(tasks=chosen)
            counts.append(len(asked))
    assert counts[0] == counts[1]


@pytest.mark.parametrize(("wrong", "error", "words"), [
    ({"quantity": Decimal(0)}, Invalid, "more than nothing"),
    ({"supplier_id": "blocked"}, Invalid, "no such supplier"),
    ({"due_on": "yesterday"}, Invalid, "is over"),
])
def test_refuses_an_order_of_nothing_of_nobody_and_of_the_past(
    wrong: dict[str, Any], error: Any, words: str, acme: Company,
) -> None:
    with acme.scope():
        goods = Goods.create()
        task = low(goods)
        real = {"blocked": seller(status="blocked").pk, "yesterday": today() - timedelta(days=1)}
        with pytest.raises(error, match=words):
            tasks_order(orders=[TaskOrder(task.pk, **{name: real.get(value, value) for name, value in wrong.items()})])


def test_snoozed_until_its_day(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        task = low(goods)
        with pytest.raises(Invalid, match="a day to come"):
            tasks_snooze(tasks=[task.pk], until=today())
        tasks_snooze(tasks=[task.pk], until=today() + timedelta(days=1))
        assert reorder_check() == 0
        task.refresh_from_db()
        assert task.status == "snoozed"
        ReorderTask.objects.update(snoozed_until=today())
        assert reorder_check() == 0, "an old one, not a new one"
        task.refresh_from_db()
        assert (task.status, task.snoozed_until) == ("open", None)
        assert OutboxEvent.objects.get(type="reorder_task.reopened").payload["because"] == "due"
        tasks_snooze(tasks=[task.pk], until=today() + timedelta(days=1))
        goods.receive(6)
        task.refresh_from_db()
        assert task.status == "done"


def test_dismissed_until_it_is_worse(acme: Company) -> None:
    """Each hour the check looks; who has said no is not asked again for the same."""
    with acme.scope():
        goods = Goods.create()
        goods.receive(4)
        task = low(goods, minimum=5)
        tasks_dismiss(tasks=[task.pk], reason="The season is over")
        task.refresh_from_db()
        assert (task.status, task.dismissed_because) == ("dismissed", "The season is over")
        assert reorder_check() == 0
        goods.issue(1)
        assert reorder_check() == 1, "worse than before"
        tasks_dismiss(tasks=[ReorderTask.objects.get(status="open").pk])
        goods.receive(7)
        goods.issue(7)
        assert reorder_check() == 1, "as low as then, and replenished in between"
        with pytest.raises(Conflict, match="another task"), transaction.atomic():
            tasks_reopen(tasks=[task.pk])


def test_an_order_that_does_not_come_is_given_up(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        task = low(goods, minimum=5, basis=Basis.PROJECTED, order_quantity=10)
        tasks_order(orders=[TaskOrder(task.pk)])
        goods.receive(2)
        with pytest.raises(Conflict, match="has come"), transaction.atomic():
            tasks_reopen(tasks=[task.pk])
        tasks_dismiss(tasks=[task.pk], reason="Supplier closed")
        assert (level(), sound(), reorder_check()) == (2, True, 1)


def test_taken_back(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        task = low(goods, minimum=5, basis=Basis.PROJECTED)
        for decide in (
            lambda: tasks_order(orders=[TaskOrder(task.pk)]), lambda: tasks_dismiss(tasks=[task.pk], reason="No"),
            lambda: tasks_snooze(tasks=[task.pk], until=today() + timedelta(days=3)),
        ):
            decide()
            tasks_reopen(tasks=[task.pk])
            task.refresh_from_db()
            assert (task.status, task.ordered_quantity, task.snoozed_until, task.dismissed_because) == ("open", None, None, "")
            assert (task.closed_at, level(), sound()) == (None, 0, True)


def test_a_rule_that_is_written_anew_finishes_its_task(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        goods.receive(4)
        task = low(goods, minimum=5)
        ReorderRule.objects.update(min_quantity=3)
        reorder_rules_settle(rules=[task.rule_id])
        task.refresh_from_db()
        assert task.status == "done"


@pytest.mark.parametrize(("item", "suggested"), [
    ({"pack_size": 12}, 12), ({"pack_size": 4, "order_multiple": 6}, 12), ({"pack_size": Decimal("2.5")}, Decimal("7.5")),
    ({"pack_size": 4, "min_order_quantity": 10}, 12),
    ({"pack_size": Decimal("9999999999999"), "order_multiple": 7}, Decimal("9999999999999")),  # not more than fits
])
def test_whole_packs(item: dict[str, Any], suggested: Any, acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        SupplierProduct.objects.create(
            supplier=seller(), variant=goods.bolt, supplier_sku="B", is_preferred=True, **item,
        )
        assert low(goods, minimum=5).suggested_quantity == suggested


def test_a_blocked_supplier_is_not_proposed(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        ours = seller("S2", lead_time_days=4)
        SupplierProduct.objects.create(supplier=ours, variant=goods.bolt, supplier_sku="B", is_preferred=True)
        task = low(goods, preferred_supplier=seller(status="blocked"))
        assert (task.supplier, task.explanation["lead_time_days"]) == (ours, 4)


def test_through_the_api(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        task = low(goods)
        member, until = Membership.objects.get(user=acme.members["manager"].user), str(today() + timedelta(days=5))
    url, manager = f"{TASKS}{task.pk}/", acme.api_as("manager")

    def sent(verb: str, body: Any = None) -> Any:
        answer = manager.send("post", f"{url}{verb}/", body)
        assert answer.status_code == 200, answer.content
        return answer.json()

    assert sent("assign", {"assignee": member.pk})["assignee"] == str(member.pk)
    assert len(manager.get(TASKS, {"assignee": member.pk}).json()["results"]) == 1
    assert sent("assign", {"assignee": None})["assignee"] is None
    assert sent("snooze", {"until": until})["snoozed_until"] == until
    assert sent("reopen")["status"] == "open"
    assert manager.send("post", f"{TASKS}order/", {"tasks": [{"task": task.pk, "quantity": "8"}]}).json() == {"ordered": 1}
    assert manager.get(url).json()["ordered_quantity"] == "8.000000"
    assert sent("dismiss", {"reason": "Too dear"})["dismissed_because"] == "Too dear"
    assert_problem(manager.send("post", f"{url}snooze/", {"until": until}), 409, "finished")
    sent("reopen")
    assert_problem(manager.send("post", f"{url}assign/", {"assignee": goods.bolt.pk}), 400, "does_not_exist")
    assert_problem(manager.send("post", f"{TASKS}order/", {"tasks": []}), 400)
    assert_problem(manager.send("post", f"{TASKS}order/", {"tasks": [{"task": goods.bolt.pk}]}), 404)
    twice = {"tasks": [{"task": task.pk}, {"task": task.pk}]}
    assert_problem(manager.send("post", f"{TASKS}order/", twice), 400)
    refused = acme.api_as("viewer").send("post", f"{TASKS}order/", {"tasks": [{"task": task.pk}]})
    assert assert_problem(refused, 403)["missing_permission"] == "inventory.order_reordertask"
    numbers = manager.get(f"/api/v1/reorder-rules/{task.rule_id}/numbers/").json()
    assert (numbers["level"], numbers["incoming"], numbers["suggested_quantity"], numbers["is_low"]) == (
        "0.000000", "0.000000", "6.000000", True,
    )


def test_what_stands_elsewhere_is_not_ordered(acme: Company) -> None:
    with acme.scope():
        goods = Goods.create()
        task = low(goods)
    api = limited_api(acme, goods.bolt.pk)  # a role for some other warehouse
    assert_problem(api.send("post", f"{TASKS}order/", {"tasks": [{"task": task.pk}]}), 403, "outside_warehouses")


def test_a_member_who_left_is_nobodys_assignee(acme: Company) -> None:
    with acme.scope():
        task = low(Goods.create())
        member = Membership.objects.get(user=acme.members["viewer"].user)
        member.status = "suspended"
        member.save(update_fields=["status"])
        with pytest.raises(Invalid, match="no such active member"):
            tasks_assign(tasks=[task.pk], assignee_id=member.pk)
        with pytest.raises(NotFound):
            tasks_assign(tasks=[member.pk], assignee_id=None)


def test_orders_and_receipts_at_once_keep_the_levels(new_company: Callable[[], Company]) -> None:
    """Of four who order one task one succeeds; receipts and issues go on meanwhile, and every level is right."""
    company = new_company()
    with company.scope():
        goods = Goods.create()
        goods.receive(50)
        goods.receive(50, variant=goods.nut)
        for variant in (goods.bolt, goods.nut):
            goods.rule(minimum=100, variant=variant, basis=Basis.PROJECTED, order_quantity=500)
        reorder_check()
        tasks = list(ReorderTask.objects.order_by("pk").values_list("pk", flat=True))

    def work(number: int) -> int:
        done = 0
        for turn in range(6):
            with company.scope():
                if number % 2 == 0 and turn == 2:
                    try:
                        with transaction.atomic():
                            tasks_order(orders=[TaskOrder(task) for task in (tasks if number else tasks[::-1])])
                        done += 1
                    except Conflict:
                        pass
                elif number % 3 == 0:
                    goods.receive(2, variant=(goods.bolt, goods.nut)[turn % 2])
                else:
                    goods.issue(1, variant=(goods.nut, goods.bolt)[turn % 2])
        return done

    assert sum(at_once(6, work)) == 1
    with company.scope():
        assert sound()
