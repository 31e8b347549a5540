"""Reports read from a second server, where there is one: it follows the first, a moment behind."""

from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger

from django.db import DEFAULT_DB_ALIAS, OperationalError, connection, connections, transaction

from core.tenancy import active_scope

READER = "reader"  # of DATABASES, if READER_DATABASE_URL is set
log = getLogger(__name__)


@contextmanager
def on_the_reader() -> Iterator[None]:
    """Inside a scope: what is read in here comes from the reader, behind the same wall, and nothing can be written.

    It sees what had been committed a moment ago, and nothing of the transaction around it. Where there is no reader, or it
    does not answer, everything is read where it always is.
    """
    if READER not in connections or not _answers():
        yield
        return
    writer = connections[DEFAULT_DB_ALIAS]
    connections[DEFAULT_DB_ALIAS] = connections[READER]  # for this thread: whatever reads, reads there
    try:
        with transaction.atomic():
            _enter()
            yield
    finally:
        connections[DEFAULT_DB_ALIAS] = writer


def _answers() -> bool:
    try:
        connections[READER].close_if_health_check_failed()
        connections[READER].ensure_connection()
    except OperationalError as error:
        log.warning("The reader does not answer, so the writer is asked: %s", str(error).partition("\n")[0])
        return False
    return True


def _enter() -> None:
    scope = active_scope()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('transaction_read_only', 'on', true), set_config('app.organization_id', %s, true)",
            [str(scope.organization_id)],
        )
