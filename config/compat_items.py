"""The path of an earlier shop's clients, `/items`, in the shape that they expect. docs/guide/old-paths.md tells what to use
instead.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID

import orjson
from django.http import Http404, HttpResponse
from django.urls import re_path
from rest_framework.request import Request

from config.compat import OldPath, json
from core.listing import whole_number
from core.paging import DEFAULT_PAGE, LARGEST_PAGE
from core.permitting import SignedIn, demand
from core.problems import BadParameter
from inventory.queries.shop_items import Row, item_of, items_of_category
from inventory.services.category_items import category_items_want

SEE = "inventory.view_productvariant"
KNOWN = ("category", "type", "brand", "limit", "nextToken")


def in_old_shape(row: Row) -> dict[str, Any]:
    """`id` is what `/orders` takes for an article."""
    known = orjson.loads(row["attributes"]) if isinstance(row["attributes"], str) else row["attributes"] or {}
    colors = known.get("available_colors") or ""
    return {
        "id": row["id"], "sku": row["sku"], "title": row["title"], "category": row["category"], "type": row["type"] or None,
        "company": row["company"] or None, "description": row["description"], "storage": known.get("storage"),
        "colorPreference": [color.strip() for color in colors.split(",") if color.strip()],
    }


class OldItems(OldPath):
    """Those of a category, by type, brand and id; `type` and `brand` choose among them."""

    permission_classes = (SignedIn,)

    def get(self, request: Request) -> HttpResponse:
        demand(request, SEE)
        asked = request.query_params.dict()
        for name, text in asked.items():
            if name not in KNOWN:
                raise BadParameter(name, f"Unknown parameter {name!r}. Known: {', '.join(KNOWN)}.")
            if "\0" in text:
                raise BadParameter(name, f"{name}: a text without NUL characters.")
        if not (category := asked.get("category", "")):
            raise BadParameter("category", "category: name one, such as phone, computer or accessories.")
        size = whole_number("limit", asked.get("limit", str(DEFAULT_PAGE)), LARGEST_PAGE)
        found = items_of_category(
            category=category, kind=asked.get("type", ""), brand=asked.get("brand", ""), after=_after(asked.get("nextToken", "")),
            size=size + 1,
        )
        if found.is_kept is None:
            category_items_want()
        rows = found.rows
        page = rows[:size]
        token = _token(page[-1]) if len(rows) > size else None
        return json({"items": [in_old_shape(row) for row in page], "count": len(page), "nextToken": token})


class OldItem(OldPath):
    permission_classes = (SignedIn,)

    def get(self, request: Request, pk: UUID) -> HttpResponse:
        demand(request, SEE)
        if (row := item_of(pk)) is None:
            raise Http404
        return json(in_old_shape(row))


def _token(row: Row) -> str:
    return urlsafe_b64encode(orjson.dumps([row["type"], row["company"], str(row["id"])])).decode().rstrip("=")


def _after(token: str) -> list[str]:
    if not token:
        return []
    try:
        kind, brand, key = orjson.loads(urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        if "\0" in f"{kind}{brand}":
            raise ValueError
        return [str(kind), str(brand), str(UUID(key))]
    except (ValueError, TypeError, AttributeError) as error:
        raise BadParameter("nextToken", "nextToken: this is damaged: start again without it.") from error


urlpatterns = [
    re_path(r"^items/?$", OldItems.as_view(), name="old-items"),
    re_path(rf"^items/(?P<pk>{'[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}'})/?$", OldItem.as_view(), name="old-item"),
]
