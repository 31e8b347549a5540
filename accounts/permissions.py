"""Permissions are the words app.verb_model; a role is a set of them."""

from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.apps import apps
from django.utils.text import capfirst

VERBS = ("view", "add", "change", "delete")
APPS = ("accounts", "notifications", "inventory", "orders")
ADMIN, MANAGER, VIEWER = "admin", "manager", "viewer"
BUILT_IN = {ADMIN: "Admin", MANAGER: "Manager", VIEWER: "Viewer"}

# Who works here, with what rights and keys, for which company, and who outside is told of all events, is for an Admin alone to
# change.
ADMIN_MODELS = (
    "apikey",
    "channelconfig",
    "datasubjectrequest",
    "eventsubscription",
    "externalidentity",
    "externalsource",
    "featureflag",
    "identityprovider",
    "impersonation",
    "inboundsource",
    "invitation",
    "membership",
    "organization",
    "paymentaccount",
    "retentionpolicy",
    "role",
    "user",
    "userrole",
    "usersession",
    "webhookendpoint",
)
# What a Viewer does not see: keys, who changed what and was answered what, who is invited, signs in, asks for their data, and
# events, which tell of all of it.
HIDDEN_MODELS = (
    "apikey",
    "auditentry",
    "auditseal",
    "datasubjectrequest",
    "idempotencyrecord",
    "impersonation",
    "inboundwebhook",
    "invitation",
    "outboxevent",
    "usersession",
)
# What tells of every warehouse: a role that counts in some of them gives nothing here.
OF_EVERY_WAREHOUSE = (
    "alert", "alertrule",
    "auditentry", "auditseal", "deliveryattempt", "eventdelivery", "eventsubscription", "inboundwebhook", "job", "jobattempt",
    "notificationdelivery", "outboxevent", "topic", "topicsubscription",
)

# What concerns the company as a whole: such a role lets one look at it, and change nothing.
OF_THE_COMPANY = (
    "channelconfig", "datasubjectrequest", "externalidentity", "externalsource", "featureflag", "identityprovider",
    "inboundsource", "organization", "paymentaccount", "promotion", "retentionpolicy", "stockclosing", "webhookendpoint",
)


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


@cache
def labelled() -> list[tuple[str, list[tuple[str, str]]]]:
    """Every permission in words, by model: what an Admin chooses from."""
    groups = []
    for app in APPS:
        config = apps.get_app_config(app)
        for model in config.get_models():
            options = model._meta
            verbs = [(f"{app}.{verb}_{options.model_name}", f"{verb} {options.verbose_name_plural}") for verb in VERBS]
            own = [(f"{app}.{code}", str(name).removeprefix("Can ")) for code, name in options.permissions]
            words = [(code, capfirst(text)) for code, text in [*verbs, *own]]
            groups.append((f"{config.verbose_name}: {options.verbose_name_plural}", words))
    return groups


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


def held_in_some(given: Iterable[Mapping[str, Any]], everywhere: frozenset[str]) -> dict[str, frozenset[UUID]]:
    """The warehouses of each permission that roles give in some of them and none gives everywhere.

    `given` are such roles: role, permissions and warehouses, as `accounts_enter()` returns them.
    """
    found: dict[str, frozenset[UUID]] = {}
    for role in given:
        warehouses = frozenset(map(UUID, role["warehouses"]))
        for permission in in_some(held([role["role"]], role["permissions"])) - everywhere:
            found[permission] = found.get(permission, frozenset()) | warehouses
    return found


def in_some(permissions: Iterable[str]) -> frozenset[str]:
    """What is left of a role that counts in some warehouses alone."""
    return frozenset(
        code for code in permissions
        if _model(code) not in OF_EVERY_WAREHOUSE and (_verb(code) == "view" or _model(code) not in OF_THE_COMPANY)
    )


def _verb(permission: str) -> str:
    return permission.partition(".")[2].partition("_")[0]


def _model(permission: str) -> str:
    return permission.rpartition("_")[2]
