"""The SQL of the wall that does not depend on a model."""

from typing import NamedTuple

KEPT = "kept_"  # how functions of kept.py are called


class Function(NamedTuple):
    """A database function. `callers` are keys of settings.DATABASE_ROLES; triggers need none."""

    signature: str  # name(argument types), as the catalog shows it
    returns: str
    body: str
    callers: tuple[str, ...] = ()
    definer: bool = False  # runs with the owner's rights
    arguments: str = ""  # with their names; needed where the body uses them
    settings: tuple[str, ...] = ()  # while it runs, besides the search path
    replaces: str = ""  # the signature that it had in the release before, whose code still calls it while this one arrives


class Trigger(NamedTuple):
    """A row trigger that an app adds to a table; `events` and `call` as the catalog shows them."""

    table: str
    name: str
    events: str
    call: str


# One entry per changed row, whatever changed it: the ORM, bulk SQL or psql. Runs as the owner, so that nobody
# else needs a right to insert entries. Arguments: the column that names the organization (empty: the active
# one, and no entry without one), columns whose values are kept out, and columns whose changes are no news.
AUDIT_ROW = Function("audit_row()", "trigger", """
DECLARE
    before jsonb := CASE WHEN TG_OP = 'INSERT' THEN '{}' ELSE to_jsonb(OLD) END;
    after  jsonb := CASE WHEN TG_OP = 'DELETE' THEN '{}' ELSE to_jsonb(NEW) END;
    filled jsonb := CASE WHEN TG_OP = 'DELETE' THEN before ELSE after END;
    organization uuid := NULLIF(COALESCE(filled ->> TG_ARGV[0], current_setting('app.organization_id', true)), '')::uuid;
    origin jsonb := COALESCE(NULLIF(current_setting('app.origin', true), ''), '{}')::jsonb;
    redacted text[] := TG_ARGV[1];
    ignored text[] := TG_ARGV[2];
    changes jsonb;
BEGIN
    SELECT jsonb_object_agg(key, CASE WHEN key = ANY (redacted) THEN '["redacted", "redacted"]'::jsonb
                                      ELSE jsonb_build_array(before -> key, after -> key) END) INTO changes
    FROM jsonb_object_keys(filled) AS key
    WHERE before -> key IS DISTINCT FROM after -> key AND key <> ALL (ignored);
    IF changes IS NOT NULL AND organization IS NOT NULL THEN
        INSERT INTO accounts_auditentry (organization_id, table_name, row_id, action, changes,
                                         actor_id, impersonator_id, api_key_id, request_id, reason, ip)
        VALUES (organization, TG_TABLE_NAME, (filled ->> 'id')::uuid, lower(TG_OP), changes,
                (origin ->> 'actor_id')::uuid, (origin ->> 'impersonator_id')::uuid,
                (origin ->> 'api_key_id')::uuid, COALESCE(origin ->> 'request_id', ''),
                COALESCE(origin ->> 'reason', ''), COALESCE(origin ->> 'ip', ''));
    END IF;
    RETURN NULL;
END
""", definer=True)

# A tree knows its parent alone; the lock makes two moves that would close a circle together wait for each other.
# A branch that moves takes along what hangs below it, which must not come to lie too deep either.
# Argument: the largest depth.
REFUSE_CYCLE = Function("refuse_cycle()", "trigger", """
DECLARE
    ancestor uuid := NEW.parent_id;
    depth integer := 1;
    height integer := 0;
    too_deep text := format('A tree may be %s levels deep.', TG_ARGV[0]);
BEGIN
    IF NEW.parent_id IS NULL THEN  -- no circle is closed by it, and who has locked rows need not wait here
        RETURN NEW;
    END IF;
    PERFORM pg_advisory_xact_lock(hashtextextended(TG_TABLE_NAME || NEW.organization_id, 0));
    WHILE ancestor IS NOT NULL LOOP
        depth := depth + 1;
        IF ancestor = NEW.id OR depth > TG_ARGV[0]::integer THEN
            RAISE EXCEPTION '%', CASE WHEN ancestor = NEW.id THEN 'A branch cannot hang below itself.' ELSE too_deep END
                USING ERRCODE = 'check_violation', CONSTRAINT = 'tree', COLUMN = 'parent';
        END IF;
        EXECUTE format('SELECT parent_id FROM %I WHERE organization_id = $1 AND id = $2', TG_TABLE_NAME)
            INTO ancestor USING NEW.organization_id, ancestor;
    END LOOP;
    IF TG_OP = 'UPDATE' THEN
        EXECUTE format('WITH RECURSIVE branch AS (SELECT $2 AS id, 0 AS level UNION ALL SELECT t.id, branch.level + 1'
                       ' FROM branch JOIN %I AS t ON t.organization_id = $1 AND t.parent_id = branch.id WHERE branch.level < $3)'
                       ' SELECT max(level) FROM branch', TG_TABLE_NAME)
            INTO height USING NEW.organization_id, NEW.id, TG_ARGV[0]::integer;
        IF depth + height > TG_ARGV[0]::integer THEN
            RAISE EXCEPTION '%', too_deep USING ERRCODE = 'check_violation', CONSTRAINT = 'tree', COLUMN = 'parent';
        END IF;
    END IF;
    RETURN NEW;
END
""")

# Argument: generated columns, which are still empty in a row that is about to be written, and those that do not count.
RAISE_VERSION = Function("raise_version()", "trigger", """
DECLARE
    unremarkable text[] := '{version,updated_at}' || TG_ARGV[0]::text[];
BEGIN
    IF to_jsonb(NEW) - unremarkable IS DISTINCT FROM to_jsonb(OLD) - unremarkable THEN
        NEW.version := OLD.version + 1;
        NEW.updated_at := GREATEST(now(), OLD.updated_at);  -- what began earlier may come later
    ELSE
        NEW.version := OLD.version;
        NEW.updated_at := OLD.updated_at;
    END IF;
    RETURN NEW;
END
""")

REFUSE_CHANGE = Function("refuse_change()", "trigger", """
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
""")

# Arguments: a column and the value with which a row stays as it is.
REFUSE_FROZEN = Function("refuse_frozen()", "trigger", """
BEGIN
    IF to_jsonb(OLD) ->> TG_ARGV[0] = TG_ARGV[1] THEN
        RAISE EXCEPTION 'Such a row stays as it was written.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'frozen', COLUMN = TG_ARGV[0];
    END IF;
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    RETURN NEW;
END
""")

# No foreign key can do it, because a tag may be on a row of any kind. Argument: the type of the object.
FORGET_TAGS = Function("forget_tags()", "trigger", """
BEGIN
    DELETE FROM accounts_taggeditem
    WHERE organization_id = OLD.organization_id AND object_type = TG_ARGV[0] AND object_id = OLD.id;
    RETURN NULL;
END
""")

# Rows that SQL makes have ids in the order of time too (RFC 9562), as Django's have; PostgreSQL 18 has its own.
UUID7 = Function("uuid7()", "uuid", """
DECLARE
    microseconds bigint := extract(epoch FROM clock_timestamp()) * 1000000;
BEGIN
    -- The twelve bits after the milliseconds hold their fraction; the rest is random, with a UUID's variant in place.
    RETURN (lpad(to_hex(microseconds / 1000), 12, '0') || '7' || lpad(to_hex(microseconds % 1000 * 4096 / 1000), 3, '0')
            || right(replace(gen_random_uuid()::text, '-', ''), 16))::uuid;
END
""", callers=("app", "worker"))

FUNCTIONS = (UUID7, AUDIT_ROW, RAISE_VERSION, REFUSE_CHANGE, REFUSE_CYCLE, REFUSE_FROZEN, FORGET_TAGS)

FOUND = """
WITH tables AS (
    SELECT oid, relname, relrowsecurity, relforcerowsecurity, relowner, relacl, relispartition
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
)
SELECT relname || ': row security enabled and forced'
FROM tables WHERE relrowsecurity AND relforcerowsecurity
UNION ALL
SELECT format('%%s: policy %%s for %%s to %%s using %%s check %%s',
              tablename, policyname, cmd, array_to_string(roles, ','), qual, with_check)
FROM pg_policies WHERE schemaname = 'public'
UNION ALL
SELECT format('%%s: %%s may %%s', relname, COALESCE(rolname, 'public'), string_agg(privilege_type, ',' ORDER BY privilege_type))
FROM tables, aclexplode(relacl) AS acl LEFT JOIN pg_roles ON pg_roles.oid = acl.grantee
WHERE acl.grantee <> relowner AND privilege_type <> 'MAINTAIN' GROUP BY relname, rolname
UNION ALL
SELECT format('%%s: %%s may use a column of its own: %%s', relname, COALESCE(rolname, 'public'), attname)
FROM tables JOIN pg_attribute ON attrelid = tables.oid, aclexplode(attacl) AS acl LEFT JOIN pg_roles ON pg_roles.oid = acl.grantee
UNION ALL
SELECT format('%%s: %%s', relname, pg_get_constraintdef(c.oid))
FROM pg_constraint AS c JOIN tables ON tables.oid = c.conrelid
WHERE conparentid = 0 AND (contype = 'u' AND pg_get_constraintdef(c.oid) = 'UNIQUE (organization_id, id)'
   OR contype = 'f' AND confrelid = ANY (SELECT oid FROM tables WHERE relname = ANY (%(walled)s))
                     AND conkey <> ARRAY(SELECT attnum FROM pg_attribute
                                         WHERE attrelid = conrelid AND attname = 'organization_id'))
UNION ALL
SELECT format('%%s: %%s', relname, pg_get_triggerdef(t.oid, true))
FROM pg_trigger AS t JOIN tables ON tables.oid = t.tgrelid WHERE NOT tgisinternal AND tgenabled = 'O' AND tgparentid = 0
UNION ALL
SELECT format('%%s: a partition without the trigger %%s of its table', relname, tgname)
FROM pg_trigger AS t JOIN tables ON tables.oid = t.tgrelid WHERE tgparentid <> 0 AND NOT tgisinternal AND tgenabled <> 'O'
UNION ALL
SELECT relname || ': neither a tenant table nor a shared one'
FROM tables WHERE relname <> ALL (%(known)s) AND NOT relispartition
UNION ALL
SELECT format('%%s: a view shows its owner''s rows', relname)
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
UNION ALL
SELECT format('function %%s: %%s, body %%s, for %%s', p.oid::regprocedure,
              CASE WHEN prosecdef THEN 'owner''s rights' ELSE 'caller''s rights' END,
              md5(prosrc), COALESCE((SELECT string_agg(COALESCE(rolname, 'public'), ',' ORDER BY rolname)
                                     FROM aclexplode(COALESCE(proacl, acldefault('f', proowner))) AS acl
                                     LEFT JOIN pg_roles ON pg_roles.oid = acl.grantee WHERE acl.grantee <> proowner), 'nobody'))
FROM pg_proc AS p WHERE pronamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = p.oid AND deptype = 'e')
UNION ALL
SELECT 'database: ' || unnest(setconfig)
FROM pg_db_role_setting WHERE setrole = 0 AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
UNION ALL
SELECT format('role %%s can pass the wall', rolname)
FROM pg_roles WHERE rolname = ANY (%(restricted)s)
    AND (rolsuper OR rolbypassrls OR rolcreaterole OR EXISTS (SELECT FROM pg_auth_members WHERE member = pg_roles.oid)
         OR EXISTS (SELECT FROM pg_class WHERE relowner = pg_roles.oid))
"""
