"""The doorbell: wakes the workers once the transaction has committed. One that is lost delays a job by a minute at most."""

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.db import connections, transaction
from django.utils.module_loading import import_string

CHANNEL = "quartermaster_jobs"


class _Bell:
    """What a transaction is to ring for when it commits."""

    def __init__(self, ids: Sequence[UUID]) -> None:
        self.ids = list(ids)

    def __call__(self) -> None:
        import_string(settings.JOBS_DOORBELL)(self.ids)


def ring(ids: Sequence[UUID], *, using: str = "default") -> None:
    """For jobs that SQL has made ready in this transaction."""
    if ids:
        with connections[using].cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])
        ring_away(ids, using=using)


def ring_away(ids: Sequence[UUID], *, using: str = "default") -> None:
    """Where workers do not listen to the database; a statement that has notified already calls this."""
    if not ids or not settings.JOBS_QUEUE_URL:
        return
    connection = connections[using]
    for entry in connection.run_on_commit:
        if isinstance(bell := entry[1], _Bell) and entry[0] == set(connection.savepoint_ids):
            bell.ids += ids
            return
    transaction.on_commit(_Bell(ids), using=using, robust=True)
