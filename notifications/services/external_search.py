"""Somebody's question to a source: a fresh answer is given at once, any other by a job of the queue search."""

from typing import Any
from uuid import UUID

from core.errors import Conflict
from notifications.services.external import Known, Unavailable, answer_kept, question, source_ask
from notifications.services.jobs import Order, TryAgain, job_made

SEARCH, ATTEMPTS = "notifications.tasks.search_external", 2


def external_search(*, source_id: UUID, kind: str, query: str, again: bool) -> Known | UUID:
    """What is known, or the job that asks. Raises Invalid, and Conflict for a source that is switched off."""
    asked = question(source_id=source_id, kind=kind, subject=query)
    if not again and (known := answer_kept(asked=asked)):
        return known
    kwargs = {"source_id": str(source_id), "kind": kind, "query": query, "again": again}
    return job_made(Order(task=SEARCH, queue="search", kwargs=kwargs, max_attempts=ATTEMPTS))


def external_search_run(context: Any, *, source_id: UUID, kind: str, query: str, again: bool) -> dict[str, Any]:
    """The answer, kept with the job and in the cache. Raises TryAgain while the source fails, and Conflict in the end."""
    asked = question(source_id=source_id, kind=kind, subject=query)
    try:
        return source_ask(asked=asked, commit=lambda: context.checkpoint({}), again=again).as_json()
    except Unavailable as error:
        if context.is_last_attempt or error.is_final:
            raise Conflict(str(error), code="unavailable") from error
        raise TryAgain(str(error)) from error
