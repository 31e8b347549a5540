from typing import Any

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from psycopg import sql

from core.aws import Unavailable, database_token
from core.vault import secret

OLDEST = 15
ALIASES = {"owner": "owner", "app": "default", "worker": "worker"}  # of settings.DATABASES
PRIVILEGES = "SELECT rolsuper OR (rolcreaterole AND rolcreatedb) FROM pg_roles WHERE rolname = current_user"


class Command(BaseCommand):
    """Makes the database and its three roles where they are missing; a second run changes nothing."""

    help = "Make the database and its three roles (owner, app, worker) where they are missing."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        server = settings.ADMIN_DATABASE
        if server is None:
            raise CommandError("This setting has no administrator's database address: set DATABASE_URL.", returncode=2)
        try:
            self._make_all({**server, "PASSWORD": server.get("PASSWORD") or _token(server)})
        except Unavailable as error:
            raise CommandError(str(error), returncode=2) from error
        except psycopg.OperationalError as error:
            reason = str(error).strip().splitlines()[0]
            raise CommandError(f"The database does not answer ({reason}): check DATABASE_URL.", returncode=2) from error

    def _make_all(self, server: dict[str, Any]) -> None:
        name = settings.DATABASES["owner"]["NAME"]
        with connect(server, _maintenance(server)) as admin:
            if admin.info.server_version < OLDEST * 10_000:
                found = admin.info.server_version // 10_000
                raise CommandError(f"PostgreSQL {OLDEST} or later is needed, and this is {found}.", returncode=2)
            if not _one(admin, PRIVILEGES):
                if _all_there(admin, name):
                    return
                user = server["USER"]
                raise CommandError(
                    f"The role {user!r} of DATABASE_URL may not make roles and databases: give it CREATEROLE and CREATEDB,"
                    " or make them as docs/operations/database.md says.", returncode=2)
            for kind, role in settings.DATABASE_ROLES.items():
                self._make_role(admin, role, _password(kind))
            owner = sql.Identifier(settings.DATABASE_ROLES["owner"])
            # A migration that waits for a lock makes every request behind it wait as well; RDS Proxy takes no options.
            admin.execute(sql.SQL("ALTER ROLE {} SET lock_timeout = '10s'").format(owner))
            self._make_database(admin, name)
        with connect(server, name) as admin:
            admin.execute(sql.SQL("ALTER SCHEMA public OWNER TO {}").format(owner))
            admin.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")

    def _make_role(self, admin: psycopg.Connection[Any], role: str, password: str) -> None:
        exists = _one(admin, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = %s)", role)
        statement = "ALTER ROLE {} LOGIN" if exists else "CREATE ROLE {} LOGIN"
        if role == settings.DATABASE_ROLES["owner"]:
            statement += " CREATEDB"
        query = sql.SQL(statement).format(sql.Identifier(role))
        admin.execute(query + sql.SQL(" PASSWORD {}").format(sql.Literal(password)) if password else query)
        if not exists:
            self.stdout.write(f"Made the role {role}.")

    def _make_database(self, admin: psycopg.Connection[Any], name: str) -> None:
        owner = settings.DATABASE_ROLES["owner"]
        if _one(admin, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", name):
            if _one(admin, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = %s", name) == owner:
                return
            _join(admin, owner)
            admin.execute(sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(owner)))
            return
        _join(admin, owner)
        admin.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(name), sql.Identifier(owner)))
        self.stdout.write(f"Made the database {name}.")


def _password(kind: str) -> str:
    """What a role gets; empty: it keeps what it has. Raises Unavailable."""
    if place := settings.ROLE_SECRETS.get(kind):
        return str(secret(place, "password", endpoint_url=settings.SECRETS_ENDPOINT_URL))
    return str(settings.DATABASES[ALIASES[kind]]["PASSWORD"])


def _token(server: dict[str, Any]) -> str:
    """In the place of the administrator's password, where the database takes it."""
    if not settings.DATABASE_TOKEN_REGION:
        return ""
    return database_token(
        host=server["HOST"], port=str(server.get("PORT") or 5432), user=server["USER"], region=settings.DATABASE_TOKEN_REGION
    )


def _all_there(admin: psycopg.Connection[Any], name: str) -> bool:
    """As somebody made them by hand."""
    roles = list(settings.DATABASE_ROLES.values())
    count = _one(admin, "SELECT count(*) FROM pg_roles WHERE rolname = ANY (%s)", roles)
    return bool(count == len(roles) and _one(admin, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = %s)", name))


def connect(server: dict[str, Any], name: str) -> psycopg.Connection[Any]:
    return psycopg.connect(
        autocommit=True, dbname=name,
        **{"host": server.get("HOST") or None, "port": server.get("PORT") or None, "user": server.get("USER") or None,
           "password": server.get("PASSWORD") or None, "connect_timeout": 10, **server.get("OPTIONS", {})},
    )


def _maintenance(server: dict[str, Any]) -> str:
    return "template1" if server["NAME"] == "postgres" else "postgres"


def _join(admin: psycopg.Connection[Any], owner: str) -> None:
    """A role that is no superuser may give a database only to a role that it belongs to."""
    right = "SET" if admin.info.server_version >= 160_000 else "MEMBER"
    if not _one(admin, "SELECT pg_has_role(current_user, %s, %s)", owner, right):
        admin.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))


def _one(admin: psycopg.Connection[Any], query: str, *values: Any) -> Any:
    row = admin.execute(query, values).fetchone()
    return row[0] if row else None
