"""Jobs that are made of steps: the next begins when the former succeeded, with its result.

Whoever changes a step locks the parent first, so that two steps which end at once take turns.
"""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson
from django.db import connection, connections
from uuid_utils.compat import uuid7

from core.errors import Invalid
from core.json import dumps
from core.tenancy import active_scope
from notifications.services.jobs import Order, job_enqueue
from notifications.services.ringing import ring

QUEUE = "steps"  # which no worker looks at

PARENT = f"""
    INSERT INTO notifications_job
        (id, organization_id, task, queue, arguments, status, waits_for, started_at, heartbeat_at, progress_total, origin)
    VALUES (%s, %s, %s, '{QUEUE}', '{{"args": [], "kwargs": {{}}}}', 'running', 'steps', now(), now(), %s, %s)
"""

LOCK = "SELECT FROM notifications_job WHERE organization_id = %s AND id = %s FOR NO KEY UPDATE"

DONE = """
    UPDATE notifications_job AS p SET progress = (
        SELECT count(*) FROM notifications_job AS s
        WHERE s.organization_id = p.organization_id AND s.parent_id = p.id AND s.status = 'succeeded'
    )
    WHERE organization_id = %(organization)s AND id = %(parent)s AND status = 'running' RETURNING id
"""
# The results of a step, in the order of enqueuing, and how many have not succeeded yet.
STEP = """
    SELECT count(*) FILTER (WHERE status <> 'succeeded'), jsonb_agg(result ORDER BY seq)::text FROM notifications_job
    WHERE organization_id = %(organization)s AND parent_id = %(parent)s AND step = %(step)s
"""
BEGIN = """
    UPDATE notifications_job SET
        waits_for = CASE WHEN run_after > now() THEN 'time' ELSE '' END,
        arguments = CASE WHEN arguments ? 'result_as'
            THEN jsonb_set(arguments, ARRAY['kwargs', arguments ->> 'result_as'], %(result)s::jsonb) ELSE arguments END
    WHERE organization_id = %(organization)s AND parent_id = %(parent)s AND step = %(step)s + 1 AND status = 'queued'
    RETURNING id
"""
FINISH = """
    UPDATE notifications_job
    SET status = %(status)s, result = COALESCE(%(result)s::jsonb, result), error = %(error)s, heartbeat_at = NULL,
        finished_at = clock_timestamp()
    WHERE organization_id = %(organization)s AND id = %(parent)s AND status IN ('running', 'cancelling') RETURNING id
"""
ASK = """
    UPDATE notifications_job SET status = 'cancelling'
    WHERE organization_id = %(organization)s AND id = %(parent)s AND status = 'running' RETURNING id
"""
STOP = """
    UPDATE notifications_job
    SET status = CASE status WHEN 'queued' THEN 'cancelled' ELSE 'cancelling' END,
        finished_at = CASE status WHEN 'queued' THEN clock_timestamp() END,
        error = CASE status WHEN 'queued' THEN %(error)s ELSE error END
    WHERE organization_id = %(organization)s AND parent_id = %(parent)s AND status IN ('queued', 'running')
    RETURNING status, lock_key
"""
UNFINISHED = """
    SELECT count(*) FROM notifications_job
    WHERE organization_id = %(organization)s AND parent_id = %(parent)s AND status IN ('queued', 'running', 'cancelling')
"""


def steps_enqueue(steps: Sequence[Order | Sequence[Order]], *, name: str) -> UUID:
    """The id of the job that stands for all. Orders in a list run side by side; those after it get the list of their results.

    Its result is that of the last step. `name` is what it is called in the place of a task.
    """
    stages = [[one] if isinstance(one, Order) else list(one) for one in steps]
    if not stages or not all(stages):
        raise Invalid("Name one step at least.")
    if any(order.dedupe_key for stage in stages for order in stage):
        raise Invalid("A step cannot have a dedupe key: it may be a job of somebody else.")
    scope, parent = active_scope(), uuid7()
    with connection.cursor() as cursor:
        cursor.execute(PARENT, [parent, scope.organization_id, name, sum(map(len, stages)), scope.origin.as_json()])
    for number, stage in enumerate(stages, start=1):
        for order in stage:
            job_enqueue(order, parent=parent, step=number, waits_for="" if number == 1 else "steps")
    return parent


def parent_lock(organization_id: UUID, parent_id: UUID | None, *, using: str) -> None:
    if parent_id:
        with connections[using].cursor() as cursor:
            cursor.execute(LOCK, [organization_id, parent_id])


def parent_follow(organization_id: UUID, parent_id: UUID, step: int, status: str, *, using: str) -> list[str]:
    """After a step has come to an end; the lock keys of the steps that will not run any more."""
    values: dict[str, Any] = {"organization": organization_id, "parent": parent_id, "step": step, "result": None, "error": ""}
    if status == "succeeded" and _first(using, DONE, values):
        _after_success(using, values)
        return []
    freed: list[str] = []
    if status != "succeeded":
        freed = steps_stop(using, {**values, "error": "An earlier step did not succeed."})
    outcome = status if status in ("failed", "dead", "discarded") else "cancelled"
    if outcome != "cancelled":
        _first(using, FINISH, {**values, "status": outcome, "error": f"Step {step}: {status}."})
    elif _first(using, UNFINISHED, values)[0]:
        _first(using, ASK, values)
    else:
        _first(using, FINISH, {**values, "status": "cancelled", "error": "It was cancelled."})
    return freed


def _after_success(using: str, values: dict[str, Any]) -> None:
    left, results = _first(using, STEP, values)
    if left:
        return
    found = orjson.loads(results)
    result = dumps(found[0] if len(found) == 1 else found).decode()
    with connections[using].cursor() as cursor:
        cursor.execute(BEGIN, {**values, "result": result})
        begun = [job_id for (job_id,) in cursor.fetchall()]
    if begun:
        ring(begun, using=using)
    else:
        _first(using, FINISH, {**values, "status": "succeeded", "result": result})


def steps_stop(using: str, values: dict[str, Any]) -> list[str]:
    """Those that wait are cancelled, those at work are asked to stop; the lock keys that are free."""
    with connections[using].cursor() as cursor:
        cursor.execute(STOP, values)
        return [lock_key for status, lock_key in cursor.fetchall() if lock_key and status == "cancelled"]


def _first(using: str, sql: str, values: dict[str, Any]) -> Any:
    with connections[using].cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchone()
