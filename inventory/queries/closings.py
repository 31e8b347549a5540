"""Through which day the books of the stock are closed."""

from datetime import date

from django.db import connection

from core.tenancy import active_organization_id

# Of the organization called {0}; null where nothing is closed.
CLOSED_THROUGH = """
    SELECT c.closed_through FROM inventory_stockclosing AS c WHERE c.organization_id = {0} ORDER BY c.seq DESC LIMIT 1
"""

TODAY = "SELECT (now() AT TIME ZONE o.timezone)::date FROM accounts_organization AS o WHERE o.id = %s"


def closed_through() -> date | None:
    with connection.cursor() as cursor:
        cursor.execute(CLOSED_THROUGH.format("%s"), [active_organization_id()])
        row = cursor.fetchone()
    return row[0] if row else None


def today() -> date:
    """In the organization's time zone."""
    with connection.cursor() as cursor:
        cursor.execute(TODAY, [active_organization_id()])
        day: date = cursor.fetchone()[0]
    return day
