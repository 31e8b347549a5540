"""How the machinery is doing: queues, deliveries, schedules, workers. Of all organizations for platform staff."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import orjson
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from accounts.models import Organization
from config.charts import CHART_OPTIONS, SCALES, Card
from core.tenancy import active_organization_id
from notifications.queries.dead import MOST as MOST_DEAD
from notifications.queries.dead import Dead, dead
from notifications.queries.operations import MOST, Minute, Operations, Queue, operations

PERMISSION = "notifications.view_job"
STACKED = {**CHART_OPTIONS, "scales": {axis: {**options, "stacked": True} for axis, options in SCALES.items()}}
GONE = timedelta(minutes=3)  # after which a worker is not one any more


def view(site: Any) -> Callable[..., HttpResponse]:
    @never_cache
    @require_GET
    def operations_page(request: Any) -> HttpResponse:
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied("Only who may see jobs sees how they are doing.")
        request.current_app = site.name
        context = {**site.each_context(request), "title": "Operations", **_context(request.user.is_superuser)}
        return TemplateResponse(request, "admin/operations.html", context)

    return site.admin_view(operations_page)  # type: ignore[no-any-return]


def dead_letters_card(request: Any) -> list[Card]:
    """For the first page."""
    if not request.user.has_perm(PERMISSION):
        return []
    found = dead()
    number = _bounded(sum(found), MOST_DEAD)
    return [Card("Dead letters", number, "given up after every attempt", _page("operations"), any(found))]


def _context(everything: bool) -> dict[str, Any]:
    using, zone = "worker", None
    if not everything:
        using = "default"
        zone = Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id())
    found, given_up = operations(using=using, zone=zone), dead(using=using)
    now = timezone.now()
    return {
        "of": "all organizations" if everything else "this organization", "is_installation": everything,
        "operation_cards": _cards(found, given_up, links=not everything),
        "queues": [(queue, _depth(queue), _age(queue.age)) for queue in found.queues],
        "charts": [
            _chart("Jobs", "succeeded", found.jobs), _chart("Event deliveries", "delivered", found.deliveries),
        ],
        "chart_options": orjson.dumps(STACKED).decode(),
        "by_status": [(status.replace("_", " "), _bounded(found.by_status.get(status, 0), MOST)) for status in
                      ("pending", "in_flight", "retrying", "dead")],
        "failing": found.failing,
        "schedules": [(row, row.next_run_at < now - GONE and row.enabled) for row in found.schedules],
        "workers": [(worker, worker.seen_at > now - GONE) for worker in found.workers], "now": now,
    }  # fmt: skip


def _cards(found: Operations, given_up: Dead, *, links: bool) -> list[Card]:
    """Lists are of one organization: what counts all of them leads to none."""
    waiting, oldest = sum(queue.depth for queue in found.queues), max(queue.age for queue in found.queues)
    missed = sum(row.missed for row in found.schedules)
    done = sum(minute.done for minute in found.jobs)
    deliveries, jobs = _bounded(given_up.deliveries, MOST_DEAD), _bounded(given_up.jobs, MOST_DEAD)
    done_list, dead_deliveries, dead_jobs = (
        (_page("notifications_job_changelist"), _dead("eventdelivery"), _dead("job")) if links else ("", "", "")
    )
    return [
        Card("Waiting", _bounded(waiting, MOST), f"oldest: {_age(oldest)}", "", oldest > GONE.total_seconds()),
        Card("Jobs done", number_format(done, force_grouping=True), "in the last hour", done_list),
        Card("Dead deliveries", deliveries, "dead letters", dead_deliveries, given_up.deliveries > 0),
        Card("Dead jobs", jobs, "dead letters", dead_jobs, given_up.jobs > 0),
        Card("Missed ticks", number_format(missed, force_grouping=True), "ever", "#schedules", missed > 0),
    ]


def _chart(title: str, done: str, minutes: Sequence[Minute]) -> dict[str, Any]:
    """For unfold's chart component, and the same as a table."""
    return {
        "title": f"{title} per minute", "id": title.lower().replace(" ", "-"), "done": done, "minutes": minutes,
        "data": orjson.dumps({
            "labels": [f"{minute.at:%H:%M}" for minute in minutes],
            "datasets": [
                {"label": done.capitalize(), "data": [minute.done for minute in minutes],
                 "backgroundColor": "var(--color-primary-500)", "stack": "all"},
                {"label": "Failed or dead", "data": [minute.ended - minute.done for minute in minutes],
                 "backgroundColor": "#c2410c", "stack": "all"},
            ],
        }).decode(),
    }  # fmt: skip


def _depth(queue: Queue) -> str:
    return _bounded(queue.depth, MOST)


def _bounded(number: int, most: int) -> str:
    return f"{number_format(most, force_grouping=True)} or more" if number >= most else number_format(number, force_grouping=True)


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _dead(model: str) -> str:
    if letters := _page("dead_letters"):
        return letters
    page = _page(f"notifications_{model}_changelist")
    return page and f"{page}?status__exact=dead"


def _page(name: str) -> str:
    """Empty where the page is not registered."""
    try:
        return reverse(f"admin:{name}")
    except NoReverseMatch:
        return ""
