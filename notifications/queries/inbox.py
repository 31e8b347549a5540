from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

MOST = 100  # counted; more are "99+"

# By the index of what is unread.
UNREAD = f"""
    SELECT FROM notifications_notification AS n
    JOIN accounts_membership AS m ON m.organization_id = n.organization_id AND m.id = n.recipient_id
    WHERE n.organization_id = %s AND m.user_id = %s AND n.read_at IS NULL AND n.archived_at IS NULL
        AND (n.snoozed_until IS NULL OR n.snoozed_until <= now())
    LIMIT {MOST}
"""


def unread_count(user_id: UUID) -> int:
    """Up to MOST."""
    with connection.cursor() as cursor:
        cursor.execute(UNREAD, [active_organization_id(), user_id])
        return int(cursor.rowcount)
