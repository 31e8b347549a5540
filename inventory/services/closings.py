"""Which days of the stock's books are closed. Nothing is posted there, and what was posted there stays."""

from datetime import date

from core.errors import Conflict, Invalid
from core.tenancy import active_scope
from inventory.events import ClosingChanged
from inventory.models import StockClosing
from inventory.queries.closings import closed_through, today
from inventory.services.locks import lock_grounds
from notifications.services.events import publish


def period_close(*, through: date, note: str = "") -> StockClosing:
    """Days through this one are closed, in the organization's time zone. Waits for the postings that are under way."""
    lock_grounds()
    if through >= today():
        raise Invalid("Today is still open: close days that are over.", fields={"through": "not over"})
    before = closed_through()
    if before and through <= before:
        raise Conflict(f"The books are closed through {before} already.", code="closed_already")
    return _write(through, before, note)


def period_reopen(*, through: date | None, note: str) -> StockClosing:
    """Days after this one, or all of them, are open again."""
    lock_grounds()
    before = closed_through()
    if before is None or (through and through >= before):
        state = f"The books are closed through {before}" if before else "No day is closed"
        raise Conflict(f"{state}: there is nothing to reopen after {through or 'the beginning'}.", code="not_closed")
    if not note.strip():
        raise Invalid("Say why the period is opened again.", fields={"note": "required"})
    return _write(through, before, note)


def _write(through: date | None, before: date | None, note: str) -> StockClosing:
    scope = active_scope()
    row: StockClosing = StockClosing.objects.create(
        closed_through=through, note=note, actor_id=scope.origin.actor_id, api_key_id=scope.origin.api_key_id,
    )
    publish(ClosingChanged(closed_through=through, previous=before, note=note), aggregate_id=scope.organization_id)
    return row
