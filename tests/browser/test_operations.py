"""The page Operations as platform staff see it, in the light and in the dark."""

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone
from playwright.sync_api import Page

from accounts.models import User
from notifications.models import Job, Schedule
from notifications.services.schedules import Plan, schedules_sync, worker_seen
from tests.browser.conftest import screenshot
from tests.browser.signing import sign_in
from tests.browser.test_accessibility import faults_in_themes, visit
from tests.companies import Company
from tests.factories.notifications import JobFactory


def test_operations(page: Page, new_company: Callable[[], Company]) -> None:
    company, now = new_company(), timezone.now()
    schedules_sync([
        Plan("inventory.tasks.reorder_check", "rate(1 hour)"), Plan("notifications.tasks.purge", "cron(15/5 2 * * ? *)"),
    ])
    Schedule.objects.using("worker").filter(task__startswith="inventory").update(
        missed=2, last_tick=now - timedelta(hours=4), next_run_at=now - timedelta(hours=3), last_status="succeeded",
    )
    worker_seen(name="a-machine 4711")
    with company.scope():
        for minute in range(60):
            JobFactory.create_batch(minute % 5, status="succeeded", finished_at=now - timedelta(minutes=minute))
        JobFactory.create_batch(3, status="dead", finished_at=now - timedelta(minutes=9))
        JobFactory.create_batch(2, queue="mail", run_after=now - timedelta(minutes=10))
    User.objects.filter(pk=company.user.pk).update(is_superuser=True)
    try:
        sign_in(page, company)
        visit(page, "/admin/operations/")
        page.get_by_role("heading", name="Jobs per minute").wait_for()
        assert faults_in_themes(page) == []
        page.get_by_text("The same as a table").first.click()
        assert faults_in_themes(page) == []
        page.get_by_text("The same as a table").first.click()
        screenshot(page, "operations")
        page.set_viewport_size({"width": 390, "height": 844})
        assert faults_in_themes(page) == []
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, "nothing is cut off on a telephone"
        page.set_viewport_size({"width": 1280, "height": 900})
        visit(page, "/admin/notifications/schedule/")
        page.get_by_role("link", name="inventory.tasks.reorder_check").click()
        page.get_by_role("link", name="Run now").first.wait_for()
    finally:
        User.objects.filter(pk=company.user.pk).update(is_superuser=False)
        Schedule.objects.using("worker").all().delete()
        with company.scope():
            Job.objects.update(status="failed", heartbeat_at=None)
