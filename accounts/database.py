"""Functions of the database that the accounts need before or while a scope opens."""

from core.wall_sql import Function

# Opens the scope and says who the member is, in one round trip. No row: not an active member, or signed out.
ENTER = Function(
    "accounts_enter(uuid,text,uuid,bigint,boolean)",
    "TABLE(email text, name text, is_staff boolean, is_superuser boolean, slug text, organization_name text,"
    " roles text[], permissions text[],"
    " has_second_factor boolean, second_factor_asked boolean, second_factor_proved boolean)",
    """
BEGIN
    PERFORM set_config('app.organization_id', organization::text, true), set_config('app.origin', origin, true);
    RETURN QUERY
    SELECT u.email::text, u.name::text, u.is_staff, u.is_superuser, o.slug::text, o.name::text, given.roles, given.permissions,
           u.second_factor_at IS NOT NULL, o.require_mfa, COALESCE(proved OR (s.data ->> 'second_factor')::boolean, false)
    FROM accounts_membership AS m
    JOIN accounts_user AS u ON u.id = m.user_id
    JOIN accounts_organization AS o ON o.id = m.organization_id
    LEFT JOIN usersessions_usersession AS s ON s.id = session AND s.user_id = member
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
        AND (session IS NULL OR s.id IS NOT NULL);
END
""",
    callers=("app", "worker"), arguments="organization uuid, origin text, member uuid, session bigint, proved boolean",
)

# Whom platform staff want to act for.
FIND_MEMBER = Function(
    "accounts_find_member(text,text)",
    "TABLE(organization_id uuid, membership_id uuid, user_id uuid, is_staff boolean, is_superuser boolean, require_mfa boolean)",
    """
BEGIN
    RETURN QUERY
    SELECT o.id, m.id, u.id, u.is_staff, u.is_superuser, o.require_mfa
    FROM accounts_organization AS o
    JOIN accounts_membership AS m ON m.organization_id = o.id
    JOIN accounts_user AS u ON u.id = m.user_id
    WHERE o.slug = wanted_slug AND u.email = wanted_email AND m.status = 'active' AND u.is_active AND o.status = 'active';
END
""",
    callers=("app", "worker"), definer=True, arguments="wanted_slug text, wanted_email text",
)

# In how many organizations a person has a membership, active or not.
MEMBERSHIPS_OF = Function(
    "accounts_memberships_of(uuid)", "bigint",
    "BEGIN RETURN (SELECT count(*) FROM accounts_membership AS m WHERE m.user_id = member); END",
    callers=("app", "worker"), definer=True, arguments="member uuid",
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

FUNCTIONS = (ENTER, FIND_MEMBER, MEMBERSHIPS_OF, ORGANIZATIONS_OF, FIND_API_KEY)
