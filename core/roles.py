"""Refusal to start with a database role that row security does not bind."""

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

ROLES = {"default": "app", "worker": "worker"}
PASSES = """
    SELECT rolsuper OR rolbypassrls OR rolcreaterole
        OR EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid)
        OR EXISTS (SELECT FROM pg_class WHERE relowner = r.oid)
    FROM pg_roles AS r WHERE rolname = current_user
"""


class WrongRole(ImproperlyConfigured):
    pass


def refuse_wrong_roles() -> None:
    """Raises WrongRole if the app's or the worker's role could pass the wall; asks each connection once.

    The connections are closed again: a server forks after this, and Lambda may freeze.
    """
    for alias in ROLES:
        try:
            refuse_wrong_role(alias)
        finally:
            connections[alias].close()


def refuse_wrong_role(alias: str) -> None:
    """Raises WrongRole; the connection stays."""
    connection = connections[alias]
    with connection.cursor() as cursor:
        cursor.execute(PASSES)
        passes = cursor.fetchone()[0]
    if passes:
        user = connection.settings_dict["USER"]
        raise WrongRole(
            f"The database role {user!r} could pass the wall between organizations (it is a superuser, bypasses row"
            f" security, owns tables or belongs to another role): take that from it, or use"
            f" {settings.DATABASE_ROLES[ROLES[alias]]!r} as `manage.py setup_database` makes it."
        )
