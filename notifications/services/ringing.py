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
        _bell(using).ids += ids


def ring_for_the_relay() -> None:
    """Where no worker looks for events each second: once for a transaction, however many it publishes."""
    if settings.JOBS_QUEUE_URL:
        _bell("default").relay = True


def _bell(using: str) -> _Bell:
    """The one of this transaction; a savepoint has its own, which goes with it."""
    connection = connections[using]
    for entry in connection.run_on_commit:
        if isinstance(entry[1], _Bell) and entry[0] == set(connection.savepoint_ids):
            return entry[1]
    bell = _Bell()
    transaction.on_commit(bell, using=using, robust=True)
    return bell
