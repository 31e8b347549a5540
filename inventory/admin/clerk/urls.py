from typing import Any

from django.urls import path

from inventory.admin.clerk import receiving, tray
from inventory.admin.clerk.adjusting import adjust_view, preview_view
from inventory.admin.clerk.card import ADJUST, MOVE, RECEIVE, card_view
from inventory.admin.clerk.history import LEDGER, history_view, reverse_view, verify_view
from inventory.admin.clerk.labels import labels_view
from inventory.admin.clerk.pages import page
from inventory.admin.clerk.places import place_view
from inventory.admin.clerk.scanning import scan_view
from inventory.admin.clerk.transfers import LOOK, receive_transfer_view, transfer_view
from inventory.admin.clerk.transfers import RECEIVE as RECEIVE_TRANSFER
from inventory.admin.clerk.undoing import REVERSE, undo_view
from inventory.admin.clerk.units import LOOK as LOOK_AT_UNITS
from inventory.admin.clerk.units import unit_view


def urls(site: Any) -> list[Any]:
    """Before the site's own, whose last one takes everything."""
    return [
        path("scan/", page(site, scan_view, ["POST"]), name="scan"),
        path("stock/card/", page(site, card_view, ["GET"]), name="stock_card"),
        path("stock/place/", page(site, place_view, ["GET"]), name="stock_place"),
        path("stock/adjust/", page(site, adjust_view, permission=ADJUST), name="stock_adjust"),
        path("stock/adjust/preview/", page(site, preview_view, ["GET"], permission=ADJUST), name="stock_adjust_preview"),
        path("stock/history/", page(site, history_view, ["GET"], permission=LEDGER), name="stock_history"),
        path("stock/history/verify/", page(site, verify_view, ["GET"], permission=LEDGER), name="stock_verify"),
        path("stock/history/reverse/", page(site, reverse_view, permission=REVERSE), name="stock_reverse"),
        path("stock/transfer/", page(site, transfer_view, ["GET"], permission=LOOK), name="stock_transfer"),
        path(
            "stock/transfer/receive/", page(site, receive_transfer_view, ["POST"], permission=RECEIVE_TRANSFER),
            name="stock_receive_transfer",
        ),
        path("stock/unit/", page(site, unit_view, ["GET"], permission=LOOK_AT_UNITS), name="stock_unit"),
        path("tray/", page(site, tray.tray_view, ["GET"], permission=MOVE), name="tray"),
        path("tray/put/", page(site, tray.put_view, ["POST"], permission=MOVE), name="tray_put"),
        path("tray/quantity/", page(site, tray.quantity_view, ["POST"], permission=MOVE), name="tray_quantity"),
        path("tray/take-out/", page(site, tray.take_out_view, ["POST"], permission=MOVE), name="tray_take_out"),
        path("tray/put-down/", page(site, tray.put_down_view, ["POST"], permission=MOVE), name="tray_put_down"),
        path("receive/", page(site, receiving.receive_view, permission=RECEIVE), name="receive"),
        path("receive/scan/", page(site, receiving.receive_scan_view, ["POST"], permission=RECEIVE), name="receive_scan"),
        path("receive/line/", page(site, receiving.receive_line_view, ["POST"], permission=RECEIVE), name="receive_line"),
        path("receive/note/", page(site, receiving.receive_note_view, ["POST"], permission=RECEIVE), name="receive_note"),
        path("receive/undo/", page(site, receiving.receive_undo_view, ["POST"], permission=RECEIVE), name="receive_undo"),
        path("receive/post/", page(site, receiving.receive_post_view, ["POST"], permission=RECEIVE), name="receive_post"),
        path("labels/", page(site, labels_view), name="labels"),
        path("stock/undo/", page(site, undo_view, ["POST"], permission=REVERSE), name="stock_undo"),
    ]
