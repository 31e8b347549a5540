"""Functions of the database that the accounts need before or while a scope opens."""

from accounts import database_governance
from core.wall_sql import Function

# Opens the scope and says who the member is, in one round trip. No row: not an active member, or signed out.
ENTER = Function(
    "accounts_enter(uuid,text,uuid,bigint)",
    "TABLE(email text, name text, is_staff boolean, is_superuser boolean, slug text, organization_name text,"
    " roles text[], permissions text[])",
    """
BEGIN
    PERFORM set_config('app.organization_id', organization::text, true), set_config('app.origin', origin, true);
    RETURN QUERY
    SELECT u.email::text, u.name::text, u.is_staff, u.is_superuser, o.slug::text, o.name::text, given.roles, given.permissions
    FROM accounts_membership AS m
    JOIN accounts_user AS u ON u.id = m.user_id
    JOIN accounts_organization AS o ON o.id = m.organization_id
    CROSS JOIN LATERAL (
        SELECT COALESCE(array_agg(r.code::text), '{}') AS roles,
               COALESCE(array_agg(p.code::text) FILTER (WHERE p.code IS NOT NULL), '{}') AS permissions
        FROM accounts_userrole AS ur
        JOIN accounts_role AS r ON r.organization_id = ur.organization_id AND r.id = ur.role_id
        LEFT JOIN LATERAL unnest(r.permissions) AS p(code) ON true
        WHERE ur.organization_id = m.organization_id AND ur.membership_id = m.id
            AND (ur.expires_at IS NULL OR ur.expires_at > now())
    ) AS given
    WHERE m.organization_id = organization AND m.user_id = member AND m.status = 'active'
        AND u.is_active AND o.status = 'active'
        AND (session IS NULL OR EXISTS (SELECT FROM usersessions_usersession AS s WHERE s.id = session AND s.user_id = member));
END
""",
    callers=("app", "worker"), arguments="organization uuid, origin text, member uuid, session bigint",
)

# A person's own organizations, before any is chosen.
ORGANIZATIONS_OF = Function(
    "accounts_organizations_of(uuid)",
    "TABLE(id uuid, slug text, name text, is_default boolean)",
    """
BEGIN
    RETURN QUERY
    SELECT o.id, o.slug::text, o.name::text, m.is_default
    FROM accounts_membership AS m JOIN accounts_organization AS o ON o.id = m.organization_id
    WHERE m.user_id = member AND m.status = 'active' AND o.status = 'active'
    ORDER BY m.is_default DESC, o.name, o.id;
END
""",
    callers=("app", "worker"), definer=True, arguments="member uuid",
)

# A key names its organization; `now()` decides here whether it still counts.
FIND_API_KEY = Function(
    "accounts_find_api_key(text)",
    "TABLE(id uuid, organization_id uuid, slug text, organization_name text, key_hash text, scopes text[],"
    " allowed_networks text[], used_lately boolean)",
    """
BEGIN
    RETURN QUERY
    SELECT k.id, k.organization_id, o.slug::text, o.name::text, k.key_hash::text, k.scopes::text[], k.allowed_networks::text[],
           COALESCE(k.last_used_at > now() - interval '10 minutes', false)
    FROM accounts_apikey AS k JOIN accounts_organization AS o ON o.id = k.organization_id
    WHERE k.prefix = wanted AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND o.status = 'active';
END
""",
    callers=("app", "worker"), definer=True, arguments="wanted text",
)

FUNCTIONS = (ENTER, ORGANIZATIONS_OF, FIND_API_KEY, *database_governance.FUNCTIONS)
