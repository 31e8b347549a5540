"""What a source says about a thing, asked as seldom as may be.

A fresh answer is given at once. Otherwise one asker takes the lease of the entry and asks, and all others wait for what it
is answered. An answer that is not fresh any more stands in while the source fails, as long as the source's rules allow.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from django.core.exceptions import ValidationError
from django.db import connection

from core.errors import Conflict, Invalid, NotFound
from core.json import dumps
from core.tenancy import active_organization_id
from core.text import storable
from notifications.adapters import LONGEST_TTL, Kind
from notifications.models import ExternalCacheEntry, ExternalSource
from notifications.models.watches import validate_external_id
from notifications.services.external_calls import NoAnswer, Reply, Revision, source_call
from notifications.services.external_health import source_admit, source_failed, source_succeeded

LONGEST_WAIT = 10.0  # seconds for a slot of the rate, or one slot and a half; whoever would wait longer comes back
LOOK = 0.1  # seconds between two looks at what somebody else is asking
CHANGED = "The source was changed meanwhile."
GRACE = 5  # seconds of a lease beyond the source's time-out

ENTRY = "organization_id = %(organization)s AND source_id = %(source)s AND cache_key = %(key)s"
ENSURE = """
    INSERT INTO notifications_externalcacheentry (id, organization_id, source_id, cache_key)
    VALUES (uuid7(), %(organization)s, %(source)s, %(key)s) ON CONFLICT (organization_id, source_id, cache_key) DO NOTHING
"""
# Only if nothing has happened to it since one looked. An update that finds nothing to do leaves no lock behind.
LEASE = f"""
    UPDATE notifications_externalcacheentry SET leased_until = clock_timestamp() + %(lease)s * interval '1 second'
    WHERE {ENTRY} AND COALESCE(leased_until <= clock_timestamp(), true)
        AND fetched_at IS NOT DISTINCT FROM %(fetched)s AND failed_at IS NOT DISTINCT FROM %(failed)s
    RETURNING leased_until, etag, last_modified
"""
GIVE_UP = f"""
    UPDATE notifications_externalcacheentry SET leased_until = NULL, failed_at = clock_timestamp(), last_error = %(error)s
    WHERE {ENTRY} AND leased_until = %(lease)s
"""
KEEP = f"""
    UPDATE notifications_externalcacheentry SET
        found = CASE WHEN %(unchanged)s THEN found ELSE %(found)s END,
        payload = CASE WHEN %(unchanged)s THEN payload ELSE %(payload)s::jsonb END,
        etag = %(etag)s, last_modified = %(last_modified)s, fetched_at = clock_timestamp(), leased_until = NULL, last_error = '',
        expires_at = clock_timestamp() + %(ttl)s * interval '1 second',
        stale_if_error_until = clock_timestamp() + (%(ttl)s + %(stale)s) * interval '1 second'
    WHERE {ENTRY} AND leased_until = %(lease)s RETURNING 1
"""
READ = f"""
    SELECT found, payload::text, fetched_at, expires_at, expires_at > clock_timestamp(),
           stale_if_error_until > clock_timestamp(), failed_at, last_error
    FROM notifications_externalcacheentry WHERE {ENTRY}
"""

type Commit = Callable[[], object]


class Unavailable(Exception):
    """The source did not answer, and nothing stands in. The text says to a person why.

    `is_final`: it would say the same again.
    """

    def __init__(self, text: str, *, is_final: bool = False) -> None:
        super().__init__(text)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class Known:
    """What a source says. Stale, it stands in for an answer that did not come, and `error` says why."""

    found: bool
    payload: Any
    fetched_at: datetime
    expires_at: datetime
    is_stale: bool = False
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        found: dict[str, Any] = orjson.loads(dumps(asdict(self)))
        return found


class _Kept(NamedTuple):
    found: bool
    payload: str | None
    fetched_at: datetime | None
    expires_at: datetime
    is_fresh: bool
    may_stand_in: bool
    failed_at: datetime | None
    last_error: str

    def known(self, error: str = "") -> Known:
        assert self.fetched_at  # noqa: S101  # it was answered
        payload = None if self.payload is None else orjson.loads(self.payload)
        return Known(self.found, payload, self.fetched_at, self.expires_at, is_stale=bool(error), error=error)


class _Lease(NamedTuple):
    """Who asks has it until then, and says with the question which answer is there."""

    until: datetime
    revision: Revision


@dataclass(frozen=True, slots=True)
class Question:
    """Made by `question`, which checks it."""

    source: ExternalSource
    kind: Kind
    kind_name: str
    subject: str

    @property
    def key(self) -> dict[str, Any]:
        """Of the entry."""
        cache_key = f"{self.kind_name}:{self.subject}"
        return {"organization": active_organization_id(), "source": self.source.pk, "key": cache_key}


def question(*, source_id: UUID, kind: str, subject: str) -> Question:
    """Raises NotFound, Invalid, and Conflict for a source that is switched off."""
    source = ExternalSource.objects.filter(pk=source_id).first()
    if source is None:
        raise NotFound("There is no such source.")
    if kind not in source.kinds:
        detail = f"{source.name} has no kind {kind!r}. Known: {', '.join(sorted(source.kinds))}."
        raise Invalid(detail, code="unknown_kind", fields={"kind": detail})
    try:
        validate_external_id(subject)
    except ValidationError as error:
        raise Invalid("This would lead to another path of the source.", fields={"query": "names another path"}) from error
    if not source.is_active:
        raise Conflict(f"{source.name} is switched off.", code="switched_off")
    return Question(source, Kind(**source.kinds[kind]), kind, subject)


def answer_kept(*, asked: Question) -> Known | None:
    """A fresh one; nobody is asked for it."""
    kept = _read(asked)
    return kept.known() if kept and kept.fetched_at and kept.is_fresh else None


def source_ask(*, asked: Question, commit: Commit, again: bool = False) -> Known:
    """Holds no lock while it waits: `commit` ends the transaction and begins another. Raises Unavailable.

    With `again` a fresh answer is not enough.
    """
    if (kept := _read(asked)) is None:
        _run(ENSURE, asked)
        kept = _looked(asked)
    if kept.fetched_at and kept.is_fresh and not again:
        return kept.known()
    lease, now = _lease(asked, kept)
    if lease is None:
        return now.known() if now.failed_at == kept.failed_at else _stand_in(now, now.last_error)
    try:
        reply = _reply(asked, lease.revision, commit)
    except NoAnswer as error:
        text = storable(str(error))[:500]
        _run(GIVE_UP, asked, error=text, lease=lease.until)
        commit()
        return _stand_in(_looked(asked), text, is_final=error.is_refusal)
    is_kept = _keep(asked, reply, lease)
    commit()
    if not is_kept:
        raise Unavailable(CHANGED)
    return _looked(asked).known()


def _lease(asked: Question, kept: _Kept) -> tuple[_Lease | None, _Kept]:
    """With which answer is there; None once somebody else has asked, with what came of it."""
    seconds = longest_ask(asked.source)
    until = time.monotonic() + seconds
    while (row := _run(LEASE, asked, lease=seconds, fetched=kept.fetched_at, failed=kept.failed_at)) is None:
        now = _looked(asked)
        if (now.fetched_at, now.failed_at) != (kept.fetched_at, kept.failed_at):
            return None, now
        if time.monotonic() > until:
            raise Unavailable("Somebody else is asking, and gets no answer.")
        time.sleep(LOOK)
    return _Lease(row[0], Revision(*row[1:])), kept


def _reply(asked: Question, revision: Revision, commit: Commit) -> Reply:
    """Raises NoAnswer; how it went is noted of the source."""
    source, until = asked.source, time.monotonic() + _longest_wait(asked.source)
    while (wait := source_admit(source_id=source.pk, max_per_minute=source.max_per_minute)).seconds:
        if wait.is_circuit or time.monotonic() + wait.seconds > until:
            raise NoAnswer(wait.why)
        commit()
        time.sleep(wait.seconds)
    commit()
    try:
        reply = source_call(source=source, kind=asked.kind, subject=asked.subject, revision=revision)
    except NoAnswer as error:
        if error.is_refusal:
            source_succeeded(source_id=source.pk)
        else:
            source_failed(
                source_id=source.pk, error=storable(str(error))[:500], is_probe=wait.is_probe, retry_after=error.retry_after,
            )
        raise
    source_succeeded(source_id=source.pk)
    return reply


def longest_ask(source: ExternalSource) -> float:
    """Seconds that an answer may take, with the wait for its turn."""
    return source.timeout + GRACE + _longest_wait(source)


def _longest_wait(source: ExternalSource) -> float:
    return max(LONGEST_WAIT, 90 / source.max_per_minute) if source.max_per_minute else LONGEST_WAIT


def _stand_in(kept: _Kept, error: str, *, is_final: bool = False) -> Known:
    if kept.fetched_at is None or not kept.may_stand_in:
        raise Unavailable(error, is_final=is_final)
    return kept.known(error)


def _keep(asked: Question, reply: Reply, lease: _Lease) -> bool:
    """Whether the lease still held: who outstays it, or whose source was changed meanwhile, has nothing to say."""
    ttl = asked.kind.ttl if asked.kind.ttl is not None else reply.max_age
    return _run(
        KEEP, asked, lease=lease.until, unchanged=reply.is_unchanged, found=reply.found, **reply.revision._asdict(),
        payload=None if reply.payload is None else dumps(reply.payload).decode(),
        ttl=min(asked.source.default_ttl if ttl is None else ttl, LONGEST_TTL), stale=asked.source.stale_seconds,
    ) is not None  # fmt: skip


def _read(asked: Question) -> _Kept | None:
    row = _run(READ, asked)
    return _Kept(*row) if row else None


def _looked(asked: Question) -> _Kept:
    if (kept := _read(asked)) is None:
        raise Unavailable(CHANGED)
    return kept


def _run(sql: str, asked: Question, **values: Any) -> Any:
    """The first row, if any is returned."""
    with connection.cursor() as cursor:
        cursor.execute(sql, {**asked.key, **values})
        return cursor.fetchone() if cursor.description else None


def answers_forget(*, source_id: UUID) -> None:
    """After the source was changed: what was answered before may mean something else now."""
    ExternalCacheEntry.objects.filter(source_id=source_id).delete()
