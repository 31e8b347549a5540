"""Permissions are the words app.verb_model; a role is a set of them."""

from collections.abc import Iterable
from functools import cache, lru_cache

from django.apps import apps

APPS = ("accounts", "notifications", "inventory", "orders")
ADMIN, MANAGER, VIEWER = "admin", "manager", "viewer"
BUILT_IN = {ADMIN: "Admin", MANAGER: "Manager", VIEWER: "Viewer"}

# Who works here, with what rights and keys, and for which company, is for an Admin alone to change.
ADMIN_MODELS = (
    "organization", "membership", "role", "userrole", "apikey", "retentionpolicy", "datasubjectrequest", "featureflag",
)
# What a Viewer does not see: keys, who changed what, and who asked for their data.
HIDDEN_MODELS = ("apikey", "auditentry", "auditseal", "datasubjectrequest")


@cache
def known() -> frozenset[str]:
    """Every permission there is: four verbs for each model, and the business verbs of `Meta.permissions`."""
    found = set()
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            options = model._meta
            found |= {f"{app}.{verb}_{options.model_name}" for verb in options.default_permissions}
            found |= {f"{app}.{code}" for code, _ in options.permissions}
    return frozenset(found)


def is_known(permission: str) -> bool:
    return permission in known()


@cache
def of_built_in(code: str) -> frozenset[str]:
    if code == ADMIN:
        return known()
    if code == MANAGER:
        return frozenset(name for name in known() if _verb(name) == "view" or _model(name) not in ADMIN_MODELS)
    if code == VIEWER:
        return frozenset(name for name in known() if _verb(name) == "view" and _model(name) not in HIDDEN_MODELS)
    return frozenset()


@lru_cache(maxsize=1024)
def _held(roles: frozenset[str], own: frozenset[str]) -> frozenset[str]:
    return own.union(*(of_built_in(code) for code in roles))


def held(roles: Iterable[str], own: Iterable[str]) -> frozenset[str]:
    """What members with these roles may do; `own` are the permissions listed in roles that are not built in."""
    return _held(frozenset(roles), frozenset(own))


def _verb(permission: str) -> str:
    return permission.partition(".")[2].partition("_")[0]


def _model(permission: str) -> str:
    return permission.rpartition("_")[2]
