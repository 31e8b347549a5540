"""The tenancy wall: what PostgreSQL must hold, what it holds, and the SQL between the two.

A fact is a line of text as the catalog shows it. `wanted` derives all of them from the models, each with
the SQL that makes it true; `found` reads them from the live catalog; the two must be equal.
A new table has no grant, so the app cannot reach it until `build` has run.
"""

from collections.abc import Iterable
from hashlib import md5
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.db.backends.utils import CursorWrapper, truncate_name
from django.db.models import GeneratedField, Model
from django.utils.module_loading import import_string

from core import kept
from core.fields import TenantForeignKey
from core.models import AuditedModel, LedgerModel, TenantRow
from core.wall_sql import FOUND, FUNCTIONS, KEPT, Function

AUDIT_TABLE = "accounts_auditentry"
ACTIVE = "( SELECT (current_setting('app.organization_id'::text))::uuid AS current_setting)"
ALL = "DELETE,INSERT,SELECT,UPDATE"

# With the default of 4, ORDER BY id may walk the primary key through the rows of all other organizations;
# just-in-time compilation made deep pages 13 times slower.
DATABASE_SETTINGS = {"random_page_cost": "1.1", "jit": "off"}

# Columns whose change alone writes no audit entry.
UNREMARKABLE = ("version", "updated_at", "last_login", "last_used_at")
# Columns whose change alone raises no version either, because no answer shows them.
UNVERSIONED = ("last_login",)

type Facts = dict[str, str]


def build(cursor: CursorWrapper) -> list[str]:
    """Make every missing fact true; needs the owner's role. What is there without being wanted stays, and is a deviation."""
    have = found(cursor)
    missing = {fact: sql for fact, sql in wanted().items() if fact not in have}
    for sql in missing.values():
        cursor.execute(sql)
    kept.forget_unwanted(cursor)
    return list(missing)


def deviations(cursor: CursorWrapper) -> list[str]:
    want, have = wanted().keys(), found(cursor)
    unexpected = sorted(fact for fact in have - want if not _is_of_another_release(fact))
    return [f"missing: {fact}" for fact in sorted(want - have)] + [f"unexpected: {fact}" for fact in unexpected]


def _is_of_another_release(fact: str) -> bool:
    """What it keeps can do no more than who calls it."""
    return fact.startswith(f"function {KEPT}") and ": caller's rights, " in fact


def found(cursor: CursorWrapper) -> set[str]:
    walled = [model._meta.db_table for model in walled_models()]
    roles = settings.DATABASE_ROLES
    cursor.execute(FOUND, {
        "walled": walled, "known": [*walled, *settings.SHARED_TABLES], "restricted": [roles["app"], roles["worker"]],
    })
    return {fact for (fact,) in cursor.fetchall()}


def wanted() -> Facts:
    facts: Facts = {
        f"database: {name}={value}":
            f"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {name} = {value}', current_database()); END $$"
        for name, value in DATABASE_SETTINGS.items()
    }
    for function in functions():
        facts |= _function(function)
    models = walled_models()
    rows = [model for model in models if issubclass(model, TenantRow)]
    for row in rows:
        facts |= _reference_target(row._meta.db_table)
    for model in models:
        facts |= _row_security(model) | _grants(model._meta.db_table, *_privileges(model))
    for row in rows:
        facts |= _references(row)
    for model in apps.get_models():
        facts |= _triggers(model)
    for config in apps.get_app_configs():
        for trigger in _declared(config, "database_triggers"):
            facts |= _trigger(trigger.table, trigger.name, trigger.events, "ROW", trigger.call)
    for table, privileges in settings.SHARED_TABLES.items():
        app, worker = (privileges, privileges) if isinstance(privileges, str) else privileges
        facts |= _grants(table, app, worker)
    return facts


def walled_models() -> list[type[Model]]:
    tenant_rows: list[type[Model]] = [model for model in apps.get_models() if issubclass(model, TenantRow)]
    return [apps.get_model("accounts", "Organization"), *tenant_rows]


def functions() -> list[Function]:
    """Those of the wall, and those that an app's config names in `database_functions`."""
    own = [function for config in apps.get_app_configs() for function in _declared(config, "database_functions")]
    return [*FUNCTIONS, *own, *kept.functions()]


def _declared(config: AppConfig, what: str) -> Iterable[Any]:
    """Named by the app's config, as a list or, where it takes the models to make it, as the path of a function."""
    found = getattr(config, what, ())
    return import_string(found)() if isinstance(found, str) else found


def _function(function: Function) -> Facts:
    roles = ",".join(sorted(settings.DATABASE_ROLES[caller] for caller in function.callers))
    rights = "owner's rights" if function.definer else "caller's rights"
    body = md5(function.body.encode(), usedforsecurity=False).hexdigest()
    name = function.signature.partition("(")[0]
    declared = f"{name}({function.arguments})"
    security = "SECURITY DEFINER" if function.definer else "SECURITY INVOKER"
    # Revoked from the roles by name too: a caller that is wanted no longer must lose the right.
    others = ",".join(["PUBLIC", settings.DATABASE_ROLES["app"], settings.DATABASE_ROLES["worker"]])
    grant = f"GRANT EXECUTE ON FUNCTION {function.signature} TO {roles};" if roles else ""
    return {
        f"function {function.signature}: {rights}, body {body}, for {roles or 'nobody'}":
            f"{'' if function.returns == 'trigger' else f'DROP FUNCTION IF EXISTS {function.signature};'}"
            f"{f'DROP FUNCTION IF EXISTS {function.replaces};' if function.replaces else ''}"
            f"CREATE OR REPLACE FUNCTION {declared} RETURNS {function.returns} LANGUAGE plpgsql {security}"
            f" SET search_path = pg_catalog, public{''.join(f' SET {one}' for one in function.settings)}"
            f" AS $qm${function.body}$qm$;"
            f"REVOKE ALL ON FUNCTION {function.signature} FROM {others}; {grant}",
    }


def _row_security(model: type[Model]) -> Facts:
    table, roles = model._meta.db_table, settings.DATABASE_ROLES
    column = "organization_id" if issubclass(model, TenantRow) else "id"
    return {
        f"{table}: row security enabled and forced":
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY",
        **_policy(table, "tenant", [roles["app"]], f"({column} = {ACTIVE})"),
        **_policy(table, "every_organization", sorted([roles["owner"], roles["worker"]]), "true"),
    }


def _policy(table: str, name: str, roles: list[str], condition: str) -> Facts:
    to = ",".join(roles)
    return {
        f"{table}: policy {name} for ALL to {to} using {condition} check {condition}":
            f"DROP POLICY IF EXISTS {name} ON {table};"
            f"CREATE POLICY {name} ON {table} TO {to} USING ({condition}) WITH CHECK ({condition})",
    }


def _privileges(model: type[Model]) -> tuple[str, str]:
    """What the app and the worker may do; only the trigger writes audit entries, and nobody deletes an organization."""
    if not issubclass(model, TenantRow):
        return "INSERT,SELECT,UPDATE", "INSERT,SELECT,UPDATE"
    if model._meta.db_table == AUDIT_TABLE:
        return "SELECT", "SELECT"
    if issubclass(model, LedgerModel):
        return "INSERT,SELECT", "INSERT,SELECT"
    return ALL, ALL


def _grants(table: str, app: str, worker: str) -> Facts:
    return {
        f"{table}: {settings.DATABASE_ROLES[role]} may {privileges}":
            f"REVOKE ALL ON {table} FROM {settings.DATABASE_ROLES[role]};"
            f"GRANT {privileges} ON {table} TO {settings.DATABASE_ROLES[role]}"
        for role, privileges in {"app": app, "worker": worker}.items() if privileges
    }


def _reference_target(table: str) -> Facts:
    name = truncate_name(f"{table}_wall", 63)
    return {f"{table}: UNIQUE (organization_id, id)": f"ALTER TABLE {table} ADD CONSTRAINT {name} UNIQUE (organization_id, id)"}


def _references(model: type[Model]) -> Facts:
    return dict(_reference(model._meta.db_table, field) for field in model._meta.fields if isinstance(field, TenantForeignKey))


def _reference(table: str, field: TenantForeignKey) -> tuple[str, str]:
    target = field.related_model._meta.db_table
    key = f"FOREIGN KEY (organization_id, {field.column}) REFERENCES {target}(organization_id, id)"
    name = truncate_name(f"{table}_{field.column}_wall", 63)
    return f"{table}: {key}", (  # two steps: the first locks without reading, the second reads without locking
        f"ALTER TABLE {table} ADD CONSTRAINT {name} {key} NOT VALID; ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
    )


def _triggers(model: type[Model]) -> Facts:
    table = model._meta.db_table
    if issubclass(model, LedgerModel):
        return _trigger(table, "wall", "BEFORE DELETE OR UPDATE OR TRUNCATE", "STATEMENT", "refuse_change()")
    if not issubclass(model, AuditedModel):
        return {}
    organization = "organization_id" if issubclass(model, TenantRow) else "id" if model._meta.model_name == "organization" else ""
    generated = [str(field.column) for field in model._meta.local_fields if isinstance(field, GeneratedField)]
    redacted, ignored = ",".join(model.audit_redacted), ",".join([*UNREMARKABLE, *model.audit_ignored, *generated])
    arguments = f"'{organization}', '{{{redacted}}}', '{{{ignored}}}'"
    unversioned = ",".join([*generated, *(str(one.column) for one in model._meta.local_fields if one.column in UNVERSIONED)])
    tree = _trigger(table, "wall_tree", "BEFORE INSERT OR UPDATE OF parent_id", "ROW", f"refuse_cycle('{model.tree_depth}')")
    frozen = _trigger(table, "wall_frozen", "BEFORE DELETE OR UPDATE", "ROW", f"refuse_frozen({_quoted(model.frozen)})")
    tags = _trigger(table, "wall_tags", "AFTER DELETE", "ROW", f"forget_tags({_quoted([model._meta.label_lower])})")
    return {
        **(tree if model.tree_depth else {}),
        **(frozen if model.frozen else {}),
        **(tags if getattr(model, "annotated", False) else {}),
        **_trigger(table, "wall", "AFTER INSERT OR DELETE OR UPDATE", "ROW", f"audit_row({arguments})"),
        **_trigger(table, "wall_version", "BEFORE UPDATE", "ROW", f"raise_version('{{{unversioned}}}')"),
    }


def _quoted(values: Iterable[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)


def _trigger(table: str, name: str, events: str, each: str, function: str) -> Facts:
    trigger = f"CREATE TRIGGER {name} {events} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}"
    return {f"{table}: {trigger}": f"DROP TRIGGER IF EXISTS {name} ON {table}; {trigger}"}
