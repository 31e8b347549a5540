"""The doorbell: wakes the workers once the transaction has committed. One that is lost delays a job by a minute at most."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.utils.module_loading import import_string

CHANNEL = "quartermaster_jobs"


class _Bell:
    """What a transaction is to ring for when it commits."""

    def __init__(self) -> None:
        self.ids: list[UUID] = []
        self.relay = False

    def __call__(self) -> None:
        import_string(settings.JOBS_DOORBELL)(self.ids, relay=self.relay)


def ring(ids: Sequence[UUID], *, using: str = "default") -> None:
    """For jobs that SQL has made ready in this transaction."""
    if ids:
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
        ring_away(ids, using=using)


def ring_away(ids: Sequence[UUID], *, using: str = "default") -> None:
    """Where workers do not listen to the database; a statement that has notified already calls this."""
    if ids and settings.JOBS_QUEUE_URL:
        _ring(using, ids)


def ring_for_the_relay() -> None:
    """Where no worker looks for events each second: once for a transaction, however many it publishes."""
    if settings.JOBS_QUEUE_URL:
        _ring("default", relay=True)


def _ring(using: str, ids: Sequence[UUID] = (), *, relay: bool = False) -> None:
    """By the bell of this transaction; a savepoint has its own, which goes with it. Without a transaction at once."""
    connection = connections[using]
    bells = [entry[1] for entry in connection.run_on_commit if entry[0] == set(connection.savepoint_ids)]
    found = next((bell for bell in bells if isinstance(bell, _Bell)), None)
    bell = found or _Bell()
    bell.ids += ids
    bell.relay |= relay
    if found is None:
        transaction.on_commit(bell, using=using, robust=True)
