"""What people do with deliveries: replay, discard, and delete a subscription with its own."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from core.errors import Conflict, Invalid, NotFound
from core.json import dumps
from core.tenancy import active_organization_id
from notifications.models import EventDelivery, EventSubscription
from notifications.services.jobs import DOORBELL
from notifications.services.lanes import Lane, hold, open_in_lane

FINISHED = (EventDelivery.Status.DELIVERED, EventDelivery.Status.DEAD, EventDelivery.Status.DISCARDED)
MOST = 1_000  # replayed by one call

# Of several deliveries of one event to one subscription the latest stands for all.
CHOOSE = """
    SELECT d.id, d.subscription_id, d.aggregate_id, d.seq
    FROM notifications_eventdelivery AS d
    JOIN notifications_outboxevent AS e ON e.organization_id = d.organization_id AND e.id = d.event_id
    WHERE d.organization_id = %(organization)s AND d.status = ANY (%(statuses)s) AND d.seq > %(after)s
        AND (%(subscription)s::uuid IS NULL OR d.subscription_id = %(subscription)s)
        AND (%(type)s = '' OR e.type = %(type)s) AND (%(since)s::timestamptz IS NULL OR e.occurred_at >= %(since)s)
        AND NOT EXISTS (
            SELECT FROM notifications_eventdelivery AS n
            WHERE n.organization_id = d.organization_id AND n.event_id = d.event_id AND n.subscription_id = d.subscription_id
                AND n.replay_no > d.replay_no
        )
    ORDER BY d.seq, d.id LIMIT %(limit)s
"""

# A dead letter that is replayed is none any more.
REPLAY = f"""
    WITH chosen AS MATERIALIZED (
        SELECT * FROM notifications_eventdelivery
        WHERE organization_id = %(organization)s AND id = ANY (%(ids)s) AND status = ANY (%(statuses)s)
        FOR NO KEY UPDATE
    ), revived AS (
        UPDATE notifications_eventdelivery AS d SET status = 'discarded', discard_reason = 'Replayed.'
        FROM chosen WHERE d.id = chosen.id AND chosen.status = 'dead'
    ), made AS (
        INSERT INTO notifications_eventdelivery
            (id, organization_id, event_id, subscription_id, replay_no, payload, aggregate_id, seq, is_blocked)
        SELECT uuid7(), organization_id, event_id, subscription_id, (
                   SELECT max(s.replay_no) + 1 FROM notifications_eventdelivery AS s
                   WHERE s.organization_id = c.organization_id AND s.event_id = c.event_id
                       AND s.subscription_id = c.subscription_id
               ), COALESCE(%(payload)s::jsonb, payload), aggregate_id, seq,
               row_number() OVER (PARTITION BY subscription_id, aggregate_id ORDER BY seq) > 1 OR {open_in_lane("c")}
        FROM chosen AS c ORDER BY seq
        RETURNING id
    )
    SELECT array_agg(id), {DOORBELL} FROM made
"""

DISCARD = """
    UPDATE notifications_eventdelivery
    SET status = 'discarded', discard_reason = %(reason)s, finished_at = now()
    WHERE organization_id = %(organization)s AND id = %(id)s AND status IN ('pending', 'retrying', 'dead')
"""

LANE = """
    organization_id = %(organization)s AND subscription_id = %(subscription)s AND aggregate_id = %(aggregate)s
        AND status IN ('pending', 'in_flight', 'retrying')
"""
FREE = f"""
    UPDATE notifications_eventdelivery SET is_blocked = false, next_attempt_at = now()
    WHERE id = (SELECT id FROM notifications_eventdelivery WHERE {LANE} ORDER BY seq, replay_no LIMIT 1)
        AND NOT EXISTS (SELECT FROM notifications_eventdelivery WHERE {LANE} AND NOT is_blocked)
"""

OF_SUBSCRIPTION = "organization_id = %(organization)s AND subscription_id = %(subscription)s"
FORGET = (
    "SELECT FROM notifications_eventsubscription WHERE organization_id = %(organization)s AND id = %(subscription)s FOR UPDATE",
    # In the order of their events. No attempt is noted from here on.
    f"SELECT FROM notifications_eventdelivery WHERE {OF_SUBSCRIPTION} ORDER BY seq, replay_no FOR UPDATE",
    "DELETE FROM notifications_deliveryattempt WHERE organization_id = %(organization)s AND delivery_id IN ("
    f"SELECT id FROM notifications_eventdelivery WHERE {OF_SUBSCRIPTION})",
    f"DELETE FROM notifications_eventdelivery WHERE {OF_SUBSCRIPTION}",
    "DELETE FROM notifications_eventsubscription WHERE organization_id = %(organization)s AND id = %(subscription)s",
)


class Chosen(NamedTuple):
    id: UUID
    lane: Lane
    seq: int


class Replayed(NamedTuple):
    """`last_seq` is where the next call goes on, if there are `more`."""

    replayed: int
    more: bool
    last_seq: int


def lanes_hold(*, delivery_ids: Collection[UUID]) -> list[UUID]:
    """Before several are replayed or discarded in one transaction. Their ids in the order of their events, without strangers.

    One lane after the other, in whatever order, would wait for somebody who waits for us.
    """
    rows = EventDelivery.objects.filter(pk__in=delivery_ids).order_by("seq", "replay_no", "pk")
    found = list(rows.values_list("pk", "subscription_id", "aggregate_id"))
    with connection.cursor() as cursor:
        hold(cursor, [Lane(subscription, aggregate) for _, subscription, aggregate in found])
    return [pk for pk, _, _ in found]


def delivery_replay(*, delivery_id: UUID, payload: Any = None) -> UUID:
    """Deliver it once more, with another payload if one is given; the id of the new delivery. Raises Conflict."""
    row = _found(delivery_id)
    with transaction.atomic(), connection.cursor() as cursor:
        hold(cursor, [Lane(row.subscription_id, row.aggregate_id)])
        made = _replayed(cursor, [row.pk], FINISHED, payload)
    if not made:
        raise Conflict("This delivery is still on its way: wait until it is delivered or dead.", code="unfinished")
    return made[0]


def deliveries_replay(
    *, statuses: Sequence[str], subscription_id: UUID | None = None, event_type: str = "", since: datetime | None = None,
    after_seq: int = 0, limit: int = MOST,
) -> Replayed:
    """Those that the filter chooses, in the order of their events, at most `limit`; the latest of each event alone."""
    [replayed] = subscriptions_replay(
        subscription_ids=[subscription_id], statuses=statuses, event_type=event_type, since=since, after_seq=after_seq,
        limit=limit,
    )
    return replayed


def subscriptions_replay(
    *, subscription_ids: Sequence[UUID | None], statuses: Sequence[str], event_type: str = "", since: datetime | None = None,
    after_seq: int = 0, limit: int = MOST,
) -> list[Replayed]:
    """Of each of them, None being all; chosen before any lane is held, and then all lanes at once."""
    if strange := set(statuses) - set(FINISHED):
        raise Invalid(f"Only what is finished is replayed, not {', '.join(sorted(strange))}.", fields={"status": "not finished"})
    limit = min(limit, MOST)
    values = {
        "organization": active_organization_id(), "statuses": list(statuses), "type": event_type, "since": since,
        "after": after_seq, "limit": limit + 1,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        found = [_choose(cursor, {**values, "subscription": one}) for one in subscription_ids]
        hold(cursor, [one.lane for rows in found for one in rows[:limit]])
        return [_some(cursor, rows[:limit], statuses, len(rows) > limit, after_seq) for rows in found]


def _choose(cursor: CursorWrapper, values: dict[str, Any]) -> list[Chosen]:
    cursor.execute(CHOOSE, values)
    return [Chosen(id, Lane(subscription, aggregate), seq) for id, subscription, aggregate, seq in cursor.fetchall()]


def _some(cursor: CursorWrapper, chosen: Sequence[Chosen], statuses: Sequence[str], more: bool, after_seq: int) -> Replayed:
    made = _replayed(cursor, [one.id for one in chosen], statuses, None) if chosen else []
    return Replayed(len(made), more, chosen[-1].seq if chosen else after_seq)


def delivery_discard(*, delivery_id: UUID, reason: str) -> None:
    """It is not tried again, and does not hold up its lane. Raises Conflict."""
    if not reason.strip():
        raise Invalid("Say why it is discarded.", fields={"reason": "required"})
    row = _found(delivery_id)
    values: dict[str, Any] = {
        "organization": active_organization_id(), "id": delivery_id, "reason": reason.strip()[:200],
        "subscription": row.subscription_id, "aggregate": row.aggregate_id,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        hold(cursor, [Lane(row.subscription_id, row.aggregate_id)])
        cursor.execute(DISCARD, values)
        if not cursor.rowcount:
            status = _found(delivery_id).get_status_display().lower()
            raise Conflict(f"This delivery is {status}: only what waits or is dead can be discarded.", code="not_waiting")
        cursor.execute(FREE, values)


def subscription_delete(*, subscription_id: UUID) -> None:
    """With its deliveries, whatever their number. A relay that is telling it of an event is waited for."""
    values = {"organization": active_organization_id(), "subscription": subscription_id}
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in FORGET:
            cursor.execute(statement, values)
        if not cursor.rowcount:
            raise NotFound("There is no such subscription.")


def subscriptions_delete(*, endpoint_id: UUID) -> None:
    """Those to an endpoint that is about to be deleted."""
    for pk in EventSubscription.objects.filter(endpoint_id=endpoint_id).order_by("pk").values_list("pk", flat=True):
        subscription_delete(subscription_id=pk)


def _replayed(cursor: CursorWrapper, ids: Sequence[UUID], statuses: Sequence[str], payload: Any) -> list[UUID]:
    cursor.execute(REPLAY, {
        "organization": active_organization_id(), "ids": list(ids), "statuses": list(statuses),
        "payload": None if payload is None else dumps(payload).decode(),
    })
    found: list[UUID] | None = cursor.fetchone()[0]
    return found or []


def _found(delivery_id: UUID) -> EventDelivery:
    row: EventDelivery | None = EventDelivery.objects.filter(pk=delivery_id).first()
    if row is None:
        raise NotFound("There is no such delivery.")
    return row
