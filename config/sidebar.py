"""Which pages stand together in the sidebar and on the first page, and in which order."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse

# Of accounts, whose clusters of code are many and small. Other apps: a group for each cluster, in order of registration.
COMPANY: Mapping[str, tuple[str, ...]] = {
    "Settings": ("Organization", "NumberSequence", "ExchangeRate", "FeatureFlag"),
    "Partners": ("Party", "Address", "Contact"),
    "People and roles": ("Membership", "Invitation", "Role", "UserRole"),
    "Keys and sign-in": ("ApiKey", "IdempotencyRecord", "IdentityProvider", "ExternalIdentity", "UserSession"),
    "Audit and privacy": ("AuditEntry", "AuditSeal", "Impersonation", "RetentionPolicy", "DataSubjectRequest"),
    "Own fields, tags and files": ("CustomFieldDefinition", "SavedFilter", "Tag", "TaggedItem", "JournalEntry", "Attachment"),
}
# Pages of an app's own, which stand with those of a model.
BESIDE = {
    "EventDelivery": ("Dead letters", "dead_letters"),
    "PriceList": ("What does it cost?", "inventory_pricelist_what_does_it_cost"),
    "ValueEntry": ("Inventory value", "inventory_value"),
}
ALONE = {"Organization"}  # of which one sees one


def groups(app_label: str, pages: list[dict[str, Any]], *, may_unlock: bool, may_operate: bool) -> list[dict[str, Any]]:
    if app_label != "accounts":
        found = _by_cluster(pages)
        for group in found:
            beside = [BESIDE[page["object_name"]] for page in group["pages"] if page["object_name"] in BESIDE]
            group["pages"] += [{"name": title, "admin_url": reverse(f"admin:{name}")} for title, name in beside]
        shown = {"name": "Operations", "pages": [{"name": "Operations", "admin_url": reverse("admin:operations")}]}
        return [*([shown] if may_operate and app_label == "notifications" else []), *found]
    by_name = {page["object_name"]: page for page in pages}
    grouped = {title: [by_name.pop(name) for name in names if name in by_name] for title, names in COMPANY.items()}
    for name in ALONE & {page["object_name"] for page in pages}:
        page = next(page for page in pages if page["object_name"] == name)
        page["name"] = name
    if may_unlock:
        grouped["Keys and sign-in"].append({"name": "Locked accounts", "admin_url": reverse("admin:locked_accounts")})
    if by_name:  # a new model that nobody has placed
        grouped["More"] = list(by_name.values())
    return [{"name": title, "pages": found} for title, found in grouped.items() if found]


def _by_cluster(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for page in pages:
        module: str = page["model"].__module__
        found.setdefault(module.rpartition(".")[2], []).append(page)
    return [{"name": name.replace("_", " ").capitalize(), "pages": pages} for name, pages in found.items()]
