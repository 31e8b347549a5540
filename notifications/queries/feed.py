"""How far an organization's feed goes."""

from django.db import connection

from core.tenancy import active_organization_id

LAST = "SELECT last FROM notifications_feedposition WHERE organization_id = %s"


def feed_last() -> int:
    """Every position up to it can be seen: the relay gives positions one transaction at a time, and counts in the same."""
    with connection.cursor() as cursor:
        cursor.execute(LAST, [active_organization_id()])
        row = cursor.fetchone()
    return row[0] if row else 0
