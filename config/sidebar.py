"""Which pages stand together in the sidebar and on the first page, and in which order."""

from collections.abc import Callable, Mapping
from typing import Any

from django.urls import reverse

# Where the clusters of code are many and small. Other apps: a group for each cluster, in order of registration.
COMPANY: Mapping[str, tuple[str, ...]] = {
    "Settings": ("Organization", "NumberSequence", "ExchangeRate", "FeatureFlag"),
    "Partners": ("Party", "Address", "Contact"),
    "People and roles": ("Membership", "Invitation", "Role", "UserRole"),
    "Keys and sign-in": ("ApiKey", "IdempotencyRecord", "IdentityProvider", "ExternalIdentity", "UserSession"),
    "Audit and privacy": ("AuditEntry", "AuditSeal", "Impersonation", "RetentionPolicy", "DataSubjectRequest"),
    "Own fields, tags and files": ("CustomFieldDefinition", "SavedFilter", "Tag", "TaggedItem", "JournalEntry", "Attachment"),
}
INVENTORY: Mapping[str, tuple[str, ...]] = {
    "Catalog": (
        "Product", "ProductVariant", "Category", "ProductBarcode", "AttributeDefinition", "ProductAttributeValue", "BomLine",
        "ProductRelation", "UnitOfMeasure",
    ),
    "Vehicles": ("VehicleModel", "Fitment"),
    "Prices and taxes": ("PriceList", "PriceListItem", "TaxCategory", "TaxRate"),
    "Stock": (
        "StockItem", "StockMove", "Lot", "Reservation", "TransferOrder", "StockCount", "StockCountPlan", "StockAdjustment",
        "StockAdjustmentLine", "ReasonCode", "StockClosing",
    ),
    "Value": ("ValueEntry", "CostLayer", "StockSnapshot"),
    "Warehouses": ("Warehouse", "Location", "LogisticUnit"),
    "Replenishment": ("ReorderTask", "ReorderRule", "DemandForecast"),
    "Suppliers": ("Supplier", "SupplierProduct"),
}
ORDERS: Mapping[str, tuple[str, ...]] = {
    "Selling": (
        "SalesOrder", "PickList", "Shipment", "Invoice", "Payment", "ReturnAuthorization", "Customer", "Channel",
        "Promotion", "PromotionUse", "ShippingMethod", "PaymentAccount", "InvoiceLayout",
    ),
    "Buying": ("PurchaseOrder", "GoodsReceipt", "SupplierBill", "LandedCost"),
}
# Pages of an app's own, which stand with those of a model.
BESIDE = {
    "EventDelivery": ("Dead letters", "dead_letters"),
    "PriceList": ("What does it cost?", "inventory_pricelist_what_does_it_cost"),
    "StockItem": ("Analytics", "analytics"),
    "ValueEntry": ("Inventory value", "inventory_value"),
}
# The same, for those alone who may do what the page is for.
FOR_SOME = {
    "StockItem": ("Receive goods", "receive", "inventory.receive_stock"),
    "Location": ("Labels of logistic units", "labels", "inventory.view_stockitem"),
}
# Where work is done, above all groups: G and the letter lead there.
WORK = (
    ("a", "Approvals", "approvals", ("orders.approve_purchaseorder",)),
    ("r", "Reorder", "reorder", ("inventory.order_reordertask", "orders.add_purchaseorder")),
    ("s", "Sell", "sell", ("orders.add_salesorder", "orders.place_salesorder", "inventory.view_stockitem")),
    ("b", "Take back", "take_back", ("orders.add_returnauthorization", "orders.view_salesorder", "inventory.view_stockitem")),
    ("i", "Inbox", "inbox", ("notifications.view_notification",)),
)
ALONE = {"Organization"}  # of which one sees one
UNLOCKS = "Keys and sign-in"


def groups(
    app_label: str, pages: list[dict[str, Any]], *, may: Callable[[str], bool], may_unlock: bool, may_operate: bool,
) -> list[dict[str, Any]]:
    named = {"accounts": COMPANY, "inventory": INVENTORY, "orders": ORDERS}.get(app_label)
    found = _by_name(pages, named) if named else _by_cluster(pages)
    if may_unlock and app_label == "accounts" and UNLOCKS not in {group["name"] for group in found}:
        found.append({"name": UNLOCKS, "pages": []})
    for group in found:
        beside = [BESIDE[page["object_name"]] for page in group["pages"] if page["object_name"] in BESIDE]
        for_some = [FOR_SOME[page["object_name"]] for page in group["pages"] if page["object_name"] in FOR_SOME]
        beside += [(title, name) for title, name, permission in for_some if may(permission)]
        group["pages"] += [{"name": title, "admin_url": reverse(f"admin:{name}")} for title, name in beside]
        if may_unlock and group["name"] == UNLOCKS:
            group["pages"].append({"name": "Locked accounts", "admin_url": reverse("admin:locked_accounts")})
    if may_operate and app_label == "notifications":
        return [{"name": "Operations", "pages": [{"name": "Operations", "admin_url": reverse("admin:operations")}]}, *found]
    return found


def work_places(may: Callable[[str], bool], path: str) -> list[dict[str, Any]]:
    return [
        {"letter": letter, "name": title, "url": url, "is_current": path.startswith(url)}
        for letter, title, name, permissions in WORK
        if all(may(one) for one in permissions) and (url := reverse(f"admin:{name}"))
    ]


def mark_current(found: list[dict[str, Any]], path: str) -> None:
    """The page that the address is on, or below: of several such, the one with the longest address."""
    pages = [page for group in found for page in group["pages"] if page["admin_url"] and path.startswith(page["admin_url"])]
    if pages:
        max(pages, key=lambda page: len(page["admin_url"]))["is_current"] = True


def _by_name(pages: list[dict[str, Any]], titles: Mapping[str, tuple[str, ...]]) -> list[dict[str, Any]]:
    by_name = {page["object_name"]: page for page in pages}
    for name in ALONE & by_name.keys():
        by_name[name]["name"] = name
    grouped = {title: [by_name.pop(name) for name in names if name in by_name] for title, names in titles.items()}
    grouped["More"] = list(by_name.values())  # a new model that nobody has placed
    return [{"name": title, "pages": found} for title, found in grouped.items() if found]


def _by_cluster(pages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for page in pages:
        module: str = page["model"].__module__
        found.setdefault(module.rpartition(".")[2], []).append(page)
    return [{"name": name.replace("_", " ").capitalize(), "pages": pages} for name, pages in found.items()]
