from typing import Any

from django.urls import path

from inventory.admin.clerk.adjusting import adjust_view, preview_view
from inventory.admin.clerk.card import ADJUST, card_view
from inventory.admin.clerk.pages import page
from inventory.admin.clerk.places import place_view
from inventory.admin.clerk.scanning import scan_view
from inventory.admin.clerk.undoing import REVERSE, undo_view


def urls(site: Any) -> list[Any]:
    """Before the site's own, whose last one takes everything."""
    return [
        path("scan/", page(site, scan_view, ["POST"]), name="scan"),
        path("stock/card/", page(site, card_view, ["GET"]), name="stock_card"),
        path("stock/place/", page(site, place_view, ["GET"]), name="stock_place"),
        path("stock/adjust/", page(site, adjust_view, permission=ADJUST), name="stock_adjust"),
        path("stock/adjust/preview/", page(site, preview_view, ["GET"], permission=ADJUST), name="stock_adjust_preview"),
        path("stock/undo/", page(site, undo_view, ["POST"], permission=REVERSE), name="stock_undo"),
    ]
