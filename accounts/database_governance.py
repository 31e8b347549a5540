"""Functions of the database that governance needs."""

from core.wall_sql import Function

# Whether somebody is a member, active or not, of another organization than the active one; not of which.
BELONGS_ELSEWHERE = Function(
    "accounts_belongs_elsewhere(uuid)", "boolean", """
BEGIN
    RETURN EXISTS (SELECT FROM accounts_membership
                   WHERE user_id = person AND organization_id <> current_setting('app.organization_id')::uuid);
END
""",
    callers=("app", "worker"), definer=True, arguments="person uuid",
)

FUNCTIONS = (BELONGS_ELSEWHERE,)
