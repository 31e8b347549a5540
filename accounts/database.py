"""Functions of the database that the accounts need before or while a scope opens."""

from accounts import database_governance, database_traffic
from core.wall_sql import Function

# Opens the scope and says who the member is, in one round trip. No row: not an active member, or signed out.
# `roles` and `permissions` count everywhere; `limited`, mostly null, holds the roles that are for some warehouses.
ENTER = Function(
    "accounts_enter(uuid,text,uuid,bigint,boolean)",
    "TABLE(email text, name text, is_staff boolean, is_superuser boolean, slug text, organization_name text,"
    " roles text[], permissions text[], limited jsonb, seen_lately boolean,"
    " has_second_factor boolean, second_factor_asked boolean, second_factor_proved boolean)",
    """
BEGIN
    PERFORM set_config('app.organization_id', organization::text, true), set_config('app.origin', origin, true);
    RETURN QUERY
    SELECT u.email::text, u.name::text, u.is_staff, u.is_superuser, o.slug::text, o.name::text,
           given.roles, given.permissions, given.limited,
           session IS NULL OR EXISTS (
               SELECT FROM accounts_usersession AS seen
               WHERE seen.organization_id = organization AND seen.session_id = session
                   AND seen.last_seen_at > now() - interval '10 minutes'
           ),
           u.second_factor_at IS NOT NULL, o.require_mfa, COALESCE(proved OR (s.data ->> 'second_factor')::boolean, false)
    FROM accounts_membership AS m
    JOIN accounts_user AS u ON u.id = m.user_id
    JOIN accounts_organization AS o ON o.id = m.organization_id
    LEFT JOIN usersessions_usersession AS s ON s.id = session AND s.user_id = member
    CROSS JOIN LATERAL (
        SELECT COALESCE(array_agg(r.code::text) FILTER (WHERE ur.warehouse_ids = '{}'), '{}') AS roles,
               COALESCE(array_agg(p.code::text) FILTER (WHERE p.code IS NOT NULL AND ur.warehouse_ids = '{}'), '{}')
                   AS permissions,
               jsonb_agg(DISTINCT jsonb_build_object(
                   'role', r.code, 'permissions', r.permissions, 'warehouses', ur.warehouse_ids))
                   FILTER (WHERE ur.warehouse_ids <> '{}') AS limited
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
    callers=("app", "worker"), replaces="accounts_enter(uuid,text,uuid,bigint)",
    arguments="organization uuid, origin text, member uuid, session bigint, proved boolean DEFAULT false",
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
    " allowed_networks text[], used_lately boolean, signing_secret bytea)",
    """
BEGIN
    RETURN QUERY
    SELECT k.id, k.organization_id, o.slug::text, o.name::text, k.key_hash::text, k.scopes::text[], k.allowed_networks::text[],
           COALESCE(k.last_used_at > now() - interval '10 minutes', false),
           CASE WHEN k.require_signature THEN k.signing_secret END
    FROM accounts_apikey AS k JOIN accounts_organization AS o ON o.id = k.organization_id
    WHERE k.prefix = wanted AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > now()) AND o.status = 'active';
END
""",
    callers=("app", "worker"), definer=True, arguments="wanted text",
)

# Who vouches for a token: approved for exactly these addresses; and whom it means, if the provider is known to have named them.
FIND_IDENTITY_PROVIDER = Function(
    "accounts_find_identity_provider(text,text[],text)",
    "TABLE(id uuid, organization_id uuid, slug text, audience text, keys_url text, group_claim text, group_roles jsonb,"
    " creates_members boolean, checks_second_factor boolean, user_id uuid, groups text[], groups_at timestamptz)",
    """
BEGIN
    RETURN QUERY
    SELECT p.id, p.organization_id, o.slug::text, p.audience::text,
           COALESCE(NULLIF(p.jwks_url, ''), rtrim(p.issuer, '/') || '/.well-known/jwks.json'), p.group_claim::text, p.group_roles,
           p.creates_members, p.checks_second_factor, m.user_id, e.groups::text[], e.groups_at
    FROM accounts_identityprovider AS p
    JOIN accounts_organization AS o ON o.id = p.organization_id
    LEFT JOIN accounts_externalidentity AS e
        ON e.organization_id = p.organization_id AND e.provider_id = p.id AND e.subject = wanted_subject
    LEFT JOIN accounts_membership AS m ON m.organization_id = e.organization_id AND m.id = e.membership_id
    WHERE p.issuer = wanted_issuer AND p.audience = ANY (audiences) AND p.is_active AND o.status = 'active'
        AND p.approved_for = p.issuer || ' ' || p.audience || ' ' || p.jwks_url;
END
""",
    callers=("app", "worker"), definer=True, arguments="wanted_issuer text, audiences text[], wanted_subject text",
)

# Whether a person belongs, or once belonged, to another organization than the active one; it does not say to which.
ELSEWHERE = Function(
    "accounts_elsewhere(uuid)",
    "TABLE(known boolean, current boolean)",
    """
BEGIN
    RETURN QUERY
    SELECT count(*) > 0, count(*) FILTER (WHERE m.status <> 'suspended') > 0
    FROM accounts_membership AS m
    WHERE m.user_id = person AND m.organization_id <> current_setting('app.organization_id')::uuid;
END
""",
    callers=("app", "worker"), definer=True, arguments="person uuid",
)

# A sign-in ends in every organization in which it was used.
SESSIONS_ENDED = Function(
    "accounts_sessions_ended(uuid,bigint[],text)", "void",
    """
BEGIN
    UPDATE accounts_usersession SET ended_at = now(), ended_reason = why
    WHERE user_id = member AND session_id = ANY (sessions) AND ended_at IS NULL;
END
""",
    callers=("app", "worker"), definer=True, arguments="member uuid, sessions bigint[], why text",
)

# Whoever has the link knows no organization yet.
FIND_INVITATION = Function(
    "accounts_find_invitation(text)",
    "TABLE(id uuid, organization_id uuid, organization_name text, email text)",
    """
BEGIN
    RETURN QUERY
    SELECT i.id, i.organization_id, o.name::text, i.email::text
    FROM accounts_invitation AS i JOIN accounts_organization AS o ON o.id = i.organization_id
    WHERE i.token_hash = wanted AND o.status = 'active';
END
""",
    callers=("app", "worker"), definer=True, arguments="wanted text",
)

FUNCTIONS = (
    ENTER, FIND_MEMBER, MEMBERSHIPS_OF, ORGANIZATIONS_OF, FIND_API_KEY, FIND_IDENTITY_PROVIDER, SESSIONS_ENDED, FIND_INVITATION,
    ELSEWHERE, *database_traffic.FUNCTIONS, *database_governance.FUNCTIONS,
)
