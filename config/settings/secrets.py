"""Secrets that stand in AWS Secrets Manager: a variable with _SECRET behind its name says where. None is read before use."""

from typing import Any

import environ
from django.utils.functional import SimpleLazyObject

from core.vault import secret

env = environ.Env()

SECRETS_ENDPOINT_URL = env("SECRETS_ENDPOINT_URL", default="")  # another address is for tests
# The region in which the database, or its proxy, takes tokens of IAM in the place of passwords; empty: it does not.
DATABASE_TOKEN_REGION = env("DATABASE_TOKEN_REGION", default="")
# Where `setup_database` finds the password that a role gets, if the role itself signs in by a token: a proxy knows it by that.
ROLE_SECRETS = {
    "owner": env("OWNER_PASSWORD_SECRET", default=""), "app": env("APP_PASSWORD_SECRET", default=""),
    "worker": env("WORKER_PASSWORD_SECRET", default=""),
}


def from_secret(name: str, default: Any) -> Any:
    """The member `name`, in small letters, of the secret that NAME_SECRET says; without one, `default`."""
    if not (place := env(f"{name}_SECRET", default="")):
        return default
    return SimpleLazyObject(lambda: secret(place, name.lower(), endpoint_url=SECRETS_ENDPOINT_URL))


def login_of(role: str) -> dict[str, Any]:
    """Members of DATABASES: how the role proves who it is where its address holds no password."""
    place = env(f"{role.upper()}_DATABASE_SECRET", default="")
    if not (place or DATABASE_TOKEN_REGION):
        return {"ENGINE": "django.db.backends.postgresql"}
    return {
        "ENGINE": "core.postgres", "SECRET": place, "SECRETS_ENDPOINT_URL": SECRETS_ENDPOINT_URL,
        "TOKEN_REGION": "" if place else DATABASE_TOKEN_REGION,
    }
