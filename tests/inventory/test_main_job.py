"""The hour strikes: what is low becomes a task and a mail, once, and the goods that come finish it."""

from collections.abc import Callable

from django.core import mail
from django.db import connections

from inventory.handlers import REORDER_REMINDERS
from inventory.models import ReorderTask
from inventory.tasks import reorder_check
from notifications.models import NotificationDelivery, Topic, TopicSubscription
from notifications.worker import Worker
from tests.companies import Company
from tests.inventory.goods import Goods

HOUR, NEXT_HOUR = ({"time": f"2020-01-01T0{hour}:00:00Z"} for hour in (5, 6))


def test_from_the_clock_to_the_receipt(new_company: Callable[[], Company]) -> None:
    ours, theirs = new_company(), new_company()
    with connections["worker"].cursor() as cursor:  # what other tests left behind
        cursor.execute("UPDATE notifications_job SET status = 'failed' WHERE status IN ('queued', 'running')")
    for company in (ours, theirs):
        with company.scope():
            goods = Goods.create()
            goods.receive(2)
            goods.rule(minimum=5)
            topic = Topic.objects.get(key=REORDER_REMINDERS)
            TopicSubscription.objects.create(topic=topic, channel="email", address=company.user.email, status="confirmed")

    reorder_check(HOUR, None)
    reorder_check(HOUR, None)
    Worker().drain()
    for company in (ours, theirs):
        [letter] = [letter for letter in mail.outbox if letter.to == [company.user.email]]
        assert letter.subject == f"{company.organization.name}: 1 item to reorder"
        assert "BOLT  Bolt: 2 in W1 (threshold 5), order 4" in letter.body

    with ours.scope():
        ReorderTask.objects.update(status="dismissed")
    reorder_check(HOUR, None)
    with ours.scope():
        assert ReorderTask.objects.count() == 1, "this hour's tick has run"
    reorder_check(NEXT_HOUR, None)
    with theirs.scope():
        goods.receive(4)
        assert [task.status for task in ReorderTask.objects.all()] == ["done"]
    with ours.scope():
        assert sorted(task.status for task in ReorderTask.objects.all()) == ["dismissed", "open"]
    Worker().drain()
    with theirs.scope():
        assert NotificationDelivery.objects.count() == 1
