"""An organization keeps an Admin, whoever takes one away and by whatever path: the database refuses the last.

A lasting Admin is an active person, an active member, and holds the role Admin everywhere and without an end.
An organization that never had one may stay without.
"""

from core.wall_sql import Function, Trigger

# The lock makes two who take each other's role wait for each other: the second then sees what the first did,
# because each statement of the function looks anew. Runs as the owner: a person may be the last Admin of an
# organization that is invisible from here. Organizations are locked in one order, so that nobody deadlocks.
KEEP_AN_ADMIN = Function("keep_an_admin()", "trigger", """
DECLARE
    touched uuid[] := '{}';
    touched_one uuid;
BEGIN
    IF TG_TABLE_NAME = 'accounts_userrole' THEN
        IF OLD.expires_at IS NULL AND OLD.warehouse_ids = '{}' THEN
            SELECT array_agg(m.organization_id) INTO touched
            FROM accounts_membership AS m
            JOIN accounts_user AS u ON u.id = m.user_id
            JOIN accounts_role AS r ON r.organization_id = OLD.organization_id AND r.id = OLD.role_id
            WHERE m.organization_id = OLD.organization_id AND m.id = OLD.membership_id AND m.status = 'active'
                AND u.is_active AND u.archived_at IS NULL AND r.code = 'admin';
        END IF;
    ELSIF TG_TABLE_NAME = 'accounts_membership' THEN
        IF OLD.status = 'active' AND (TG_OP = 'DELETE' OR NEW.status <> 'active' OR NEW.user_id <> OLD.user_id) THEN
            SELECT array_agg(ur.organization_id) INTO touched
            FROM accounts_userrole AS ur
            JOIN accounts_role AS r ON r.organization_id = ur.organization_id AND r.id = ur.role_id
            JOIN accounts_user AS u ON u.id = OLD.user_id
            WHERE ur.organization_id = OLD.organization_id AND ur.membership_id = OLD.id AND ur.expires_at IS NULL
                AND ur.warehouse_ids = '{}' AND u.is_active AND u.archived_at IS NULL AND r.code = 'admin';
        END IF;
    ELSIF TG_TABLE_NAME = 'accounts_role' THEN
        IF OLD.code = 'admin' AND NEW.code <> 'admin' THEN
            SELECT array_agg(ur.organization_id) INTO touched
            FROM accounts_userrole AS ur
            JOIN accounts_membership AS m ON m.organization_id = ur.organization_id AND m.id = ur.membership_id
            JOIN accounts_user AS u ON u.id = m.user_id
            WHERE ur.organization_id = OLD.organization_id AND ur.role_id = OLD.id AND ur.expires_at IS NULL
                AND ur.warehouse_ids = '{}' AND m.status = 'active' AND u.is_active AND u.archived_at IS NULL;
        END IF;
    ELSIF OLD.is_active AND OLD.archived_at IS NULL AND NOT (NEW.is_active AND NEW.archived_at IS NULL) THEN
        SELECT array_agg(m.organization_id ORDER BY m.organization_id) INTO touched
        FROM accounts_membership AS m
        JOIN accounts_userrole AS ur ON ur.organization_id = m.organization_id AND ur.membership_id = m.id
        JOIN accounts_role AS r ON r.organization_id = ur.organization_id AND r.id = ur.role_id
        WHERE m.user_id = OLD.id AND m.status = 'active' AND r.code = 'admin'
            AND ur.expires_at IS NULL AND ur.warehouse_ids = '{}';
    END IF;
    FOREACH touched_one IN ARRAY COALESCE(touched, '{}') LOOP
        PERFORM FROM accounts_organization WHERE id = touched_one FOR NO KEY UPDATE;
        PERFORM FROM accounts_userrole AS ur
            JOIN accounts_role AS r ON r.organization_id = ur.organization_id AND r.id = ur.role_id
            JOIN accounts_membership AS m ON m.organization_id = ur.organization_id AND m.id = ur.membership_id
            JOIN accounts_user AS u ON u.id = m.user_id
            WHERE ur.organization_id = touched_one AND r.code = 'admin' AND ur.expires_at IS NULL AND ur.warehouse_ids = '{}'
                AND m.status = 'active' AND u.is_active AND u.archived_at IS NULL;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'This is the last Admin, and an organization keeps one: make somebody else Admin first,'
                            ' everywhere and without an end.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'last_admin', HINT = 'conflict';
        END IF;
    END LOOP;
    RETURN NULL;
END
""", definer=True)

TRIGGERS = tuple(
    Trigger(table, "wall_last_admin", f"AFTER {events}", KEEP_AN_ADMIN.signature)
    for table, events in {
        "accounts_userrole": "DELETE OR UPDATE", "accounts_membership": "DELETE OR UPDATE OF user_id, status",
        "accounts_role": "UPDATE OF code", "accounts_user": "UPDATE OF is_active, archived_at",
    }.items()
)
