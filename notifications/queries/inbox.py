from uuid import UUID

from django.db import connection

from core.tenancy import active_organization_id

MOST = 100  # counted; more are "99+"

# One at most, looked up first: by a join the planner may read what is unread of the whole organization.
MEMBER = "(SELECT m.id FROM accounts_membership AS m WHERE m.organization_id = %s AND m.user_id = %s)"
UNREAD = f"""
    SELECT FROM notifications_notification AS n
    WHERE n.organization_id = %s AND n.recipient_id = {MEMBER} AND n.read_at IS NULL AND n.archived_at IS NULL
        AND (n.snoozed_until IS NULL OR n.snoozed_until <= now())
    LIMIT {MOST}
"""


def unread_count(user_id: UUID) -> int:
    """Up to MOST."""
    with connection.cursor() as cursor:
        cursor.execute(UNREAD, [(organization := active_organization_id()), organization, user_id])
        return int(cursor.rowcount)
