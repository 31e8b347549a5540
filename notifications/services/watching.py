"""Watches: who waits for what, and the steps by which they are checked.

Each check is a chain of three jobs: `watched_read` asks the sources, `watched_compare` writes the hits, and
`watching_mail.hits_tell` mails them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from hashlib import sha256
from itertools import batched
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from accounts.models import Membership
from core.errors import DomainError, Forbidden
from core.json import dumps
from core.tenancy import active_scope
from notifications.events import WatchHitFound
from notifications.models import Watch, WatchHit
from notifications.services.events import publish_all
from notifications.services.external import Known, Unavailable, longest_ask, question, source_ask
from notifications.services.jobs import DOORBELL, JOB_ONCE, Order, TryAgain
from notifications.services.ringing import ring_away
from notifications.services.sittings import Continue
from notifications.services.steps import steps_enqueue
from notifications.value_paths import MISSING, value_at

TASKS = "notifications.tasks."
READ_ATTEMPTS = 3  # of each source's answers; then the hits of the other watches go out
LONGEST_VALUE = 2000  # bytes of a value that is kept as it is
OF_A_CHAIN = 100  # watches
Condition, Direction = Watch.Condition, Watch.Direction

# One job for each member who has any, and one only for a member and a day.
FAN_OUT = f"""
    WITH made AS (
        INSERT INTO notifications_job (id, organization_id, task, queue, arguments, dedupe_key, origin)
        SELECT uuid7(), m.organization_id, %(task)s, %(queue)s,
               jsonb_build_object('args', jsonb_build_array(m.id, %(day)s::text), 'kwargs', '{{}}'::jsonb),
               %(task)s || ' ' || m.id || ' ' || %(day)s, %(origin)s
        FROM accounts_membership AS m
        WHERE m.organization_id = %(organization)s AND m.status = 'active' AND EXISTS (
            SELECT FROM notifications_watch AS w
            WHERE w.organization_id = m.organization_id AND w.membership_id = m.id AND (
                (NOT %(with_hits)s AND w.is_active) OR (%(with_hits)s AND EXISTS (
                    SELECT FROM notifications_watchhit AS h
                    WHERE h.organization_id = w.organization_id AND h.watch_id = w.id AND h.digested_at IS NULL))))
        {JOB_ONCE} RETURNING id
    )
    SELECT count(*), {DOORBELL}, array_agg(id) FROM made
"""


def own_membership() -> Membership:
    """Of who asks. Raises Forbidden for a program."""
    person = active_scope().origin.actor_id
    membership: Membership | None = Membership.objects.filter(user_id=person).first() if person else None
    if membership is None:
        raise Forbidden("A watch is a member's: name one in membership.", code="no_member")
    return membership


def checks_begin(*, day: str) -> int:
    """A job for each member who watches something; returns how many were not there."""
    return fan_out(task="begin_member_checks", queue="watch", day=day)


def fan_out(*, task: str, queue: str, day: str, with_hits: bool = False) -> int:
    scope = active_scope()
    with connection.cursor() as cursor:
        cursor.execute(FAN_OUT, {
            "organization": scope.organization_id, "task": f"{TASKS}{task}", "queue": queue, "day": day, "with_hits": with_hits,
            "origin": scope.origin.as_json(),
        })
        made, _, jobs = cursor.fetchone()
    ring_away(jobs or [])
    return int(made)


def member_checks_begin(*, membership_id: UUID) -> list[UUID]:
    """The chains that check all that a member watches."""
    watches = list(Watch.objects.filter(membership_id=membership_id, is_active=True).order_by("pk").values_list("pk", flat=True))
    return [_chain(some, again=False) for some in batched(watches, OF_A_CHAIN, strict=False)]


def watch_check(*, watch: Watch) -> UUID:
    """The chain that checks one, now: the source is asked even where an answer is fresh."""
    return _chain([watch.pk], again=True)


def _chain(watches: Sequence[UUID], *, again: bool) -> UUID:
    return steps_enqueue([
        reading(watches, queue="watch", again=again),
        Order(task=f"{TASKS}compare_watched", queue="watch", result_as="seen"),
        Order(task=f"{TASKS}tell_hits", queue="watch", result_as="hits"),
    ], name="Watch check")  # fmt: skip


def reading(watches: Sequence[UUID], *, queue: str, again: bool = False) -> Order:
    args = [[str(pk) for pk in watches]]
    return Order(task=f"{TASKS}read_watched", queue=queue, args=args, kwargs={"again": again}, max_attempts=READ_ATTEMPTS)


def watched_read(context: Any, *, watch_ids: Sequence[str], again: bool) -> dict[str, Any]:
    """What the sources say of each watch: {id: {"found", "value", "at", "of"}}, or {id: {"error"}}.

    Sources that do not answer are asked again, by another attempt, as long as there is one; what has been read is not.
    """
    seen: dict[str, Any] = dict(context.state or {})
    silent, before = [], len(seen)
    for watch in Watch.objects.select_related("subject__source").filter(pk__in=watch_ids).order_by("subject_id", "pk"):
        if str(watch.pk) in seen:
            continue
        if len(seen) > before and context.time_left() < longest_ask(watch.subject.source):  # each sitting reads one at least
            raise Continue(seen)
        try:
            seen[str(watch.pk)] = _seen(watch, lambda: context.checkpoint(seen), again=again)
        except Unavailable as error:
            if not error.is_final:
                silent.append((str(watch.pk), str(error)))
            else:
                seen[str(watch.pk)] = {"error": str(error)}
        except DomainError as error:
            seen[str(watch.pk)] = {"error": error.detail}
    if silent and not context.is_last_attempt:
        context.checkpoint(seen)
        raise TryAgain(silent[0][1])
    return {**seen, **{pk: {"error": text} for pk, text in silent}}


def _seen(watch: Watch, commit: Any, *, again: bool) -> dict[str, Any]:
    subject = watch.subject
    asked = question(source_id=subject.source_id, kind=subject.kind, subject=subject.external_id)
    known: Known = source_ask(asked=asked, commit=commit, again=again)
    if known.is_stale:
        raise Unavailable(known.error)
    value = value_at(known.payload, asked.kind.value, subject.external_id) if known.found else MISSING
    found = value is not MISSING
    of = sha256(dumps([subject.source_id, subject.kind, subject.external_id])).hexdigest()
    return {"found": found, "value": kept(value) if found else None, "at": known.fetched_at.isoformat(), "of": of}


def kept(value: Any) -> Any:
    """As it is remembered and compared: a long one by its digest."""
    text = dumps(value)
    if len(text) <= LONGEST_VALUE:
        return value
    return {"sha256": sha256(text).hexdigest(), "bytes": len(text)}


@transaction.atomic
def watched_compare(*, seen: Mapping[str, Any]) -> list[str]:
    """Writes what has happened, once for each change; returns the ids of the hits."""
    locked = Watch.objects.select_for_update(no_key=True, of=("self",)).filter(pk__in=list(seen)).order_by("pk")
    looked, hits = list(locked.select_related("subject__source")), []
    for watch in looked:
        now = seen[str(watch.pk)]
        if fault := now.get("error") or _fault(watch, now):
            watch.last_error = fault[:300]
            continue
        if watch.last_of != now["of"]:  # it is to watch something else now
            watch.last_found = watch.last_value = watch.last_checked_at = None
        at = datetime.fromisoformat(now["at"])
        if watch.last_checked_at and at < watch.last_checked_at:
            continue  # another check has seen a later answer
        if has_happened(watch, found=now["found"], value=now["value"]):
            hits.append(_hit(watch, now))
        watch.last_found, watch.last_value, watch.last_of = now["found"], now["value"], now["of"]
        watch.last_checked_at, watch.last_error = at, ""
    Watch.objects.bulk_update(looked, Watch.audit_ignored)
    WatchHit.objects.bulk_create(hits, ignore_conflicts=True)
    made = set(WatchHit.objects.filter(pk__in=[hit.pk for hit in hits]).values_list("pk", flat=True))
    publish_all([(_event(hit), hit.watch_id) for hit in hits if hit.pk in made])
    return [str(hit.pk) for hit in hits if hit.pk in made]


def has_happened(watch: Watch, *, found: bool, value: Any) -> bool:
    """Whether it is what the watch waits for. What is there, or gone, as one looks for the first time has happened."""
    first, was_found = watch.last_found is None, watch.last_found
    if watch.condition == Condition.APPEARS:
        return found and not was_found
    if watch.condition == Condition.DISAPPEARS:
        return not found and (first or bool(was_found))
    if first or not found:
        return watch.condition == Condition.CHANGED and bool(was_found)
    if watch.condition == Condition.CHANGED:
        return not was_found or watch.last_value != value
    return bool(was_found) and _crosses(watch, value)


def _crosses(watch: Watch, value: Any) -> bool:
    before, after = number(watch.last_value), number(value)
    if before is None or after is None or watch.threshold is None or (before >= watch.threshold) == (after >= watch.threshold):
        return False
    return watch.direction in (Direction.BOTH, Direction.UP if after >= watch.threshold else Direction.DOWN)


def number(value: Any) -> Decimal | None:
    """Of a JSON number, or of text that is one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _fault(watch: Watch, now: Mapping[str, Any]) -> str:
    """Why a threshold cannot be compared: the value of before then stays."""
    if watch.condition != Condition.CROSSES:
        return ""
    if not now["found"]:
        return "There is no value: the source does not know of it."
    return "" if number(now["value"]) is not None else f"The value is no number: {dumps(now['value']).decode()[:100]}."


def _hit(watch: Watch, now: Mapping[str, Any]) -> WatchHit:
    told = dumps([watch.condition, watch.last_value, now["value"], now["found"], now["at"]])
    return WatchHit(watch=watch, fingerprint=sha256(told).hexdigest(), before=watch.last_value, after=now["value"])


def _event(hit: WatchHit) -> WatchHitFound:
    watch, subject = hit.watch, hit.watch.subject
    return WatchHitFound(
        hit=hit.pk, watch=watch.pk, name=watch.name, condition=watch.condition, source=subject.source.name, kind=subject.kind,
        external_id=subject.external_id, label=subject.label, before=hit.before, after=hit.after,
    )
