"""The buyer's, the approver's and the seller's pages."""

from collections.abc import Sequence
from typing import Any

from django.urls import path

from core.admin_pages import View, page_for
from orders.admin.desk import order_entry, packing, picking, receiving, return_desk, sold
from orders.admin.desk.approving import APPROVE, approvals_view, approve_view, refuse_view, withdraw_view
from orders.admin.desk.reordering import BUY, ORDER, reorder_view
from orders.admin.desk.rounds import PICK, SHIP
from orders.admin.desk.rounds import SEE as SEE_PICK_LISTS

TAKE_BACK = [return_desk.ADD, *return_desk.LOOK]
SELL = [order_entry.ADD, order_entry.PLACE, order_entry.LOOK]


def urls(site: Any) -> list[Any]:
    """Before the site's own, whose last one takes everything."""
    return [
        path("approvals/", page_for(site, approvals_view, ["GET"], permissions=[APPROVE]), name="approvals"),
        path("approvals/approve/", page_for(site, approve_view, ["POST"], permissions=[APPROVE]), name="approve"),
        path("approvals/undo/", page_for(site, withdraw_view, ["POST"], permissions=[APPROVE]), name="approve_undo"),
        path("approvals/refuse/", page_for(site, refuse_view, permissions=[APPROVE]), name="refuse"),
        *_receiving(site),
        *_picking(site),
        path("reorder/", page_for(site, reorder_view, permissions=[ORDER, BUY]), name="reorder"),
        *_selling(site),
        *_taking_back(site),
    ]


def _selling(site: Any) -> list[Any]:
    steps: dict[str, View] = {
        "customer": order_entry.customer_view, "channel": order_entry.channel_view, "scan": order_entry.scan_view,
        "add": order_entry.line_add_view, "line": order_entry.line_view, "paste": order_entry.paste_view,
        "repeat": order_entry.repeat_view, "undo": order_entry.undo_view, "place": order_entry.place_view,
        "reopen": order_entry.reopen_view,
    }
    return [
        path("sell/", page_for(site, order_entry.sell_view, ["GET"], permissions=SELL), name="sell"),
        path("sell/suggest/", page_for(site, order_entry.suggest_view, ["GET"], permissions=SELL), name="sell_suggest"),
        *(
            path(f"sell/{name}/", page_for(site, view, ["POST"], permissions=SELL), name=f"sell_{name}")
            for name, view in steps.items()
        ),
    ]


def _taking_back(site: Any) -> list[Any]:
    def page(view: View, method: str) -> Any:
        return page_for(site, view, [method], permissions=TAKE_BACK)

    return [
        path("take-back/", page(return_desk.take_back_view, "GET"), name="take_back"),
        path("take-back/scan/", page(return_desk.scan_view, "POST"), name="take_back_scan"),
        path("take-back/choose/", page(return_desk.choose_view, "POST"), name="take_back_choose"),
        path("take-back/post/", page(return_desk.post_view, "POST"), name="take_back_post"),
        path("take-back/<uuid:authorization>/", page(sold.return_view, "GET"), name="sold_return"),
        *(
            path(f"sold/{tail}<uuid:{kind}>/", page_for(site, sold.sold_view, ["GET"], permissions=[sold.LOOK]), name=name)
            for name, tail, kind in (
                ("sold", "", "order"), ("sold_shipment", "shipment/", "shipment"), ("sold_invoice", "invoice/", "invoice"),
            )
        ),
    ]


def _receiving(site: Any) -> list[Any]:
    def at(name: str, view: View, tail: str = "", methods: Sequence[str] = ("POST",), permission: str = receiving.RECEIVE) -> Any:
        return path(f"receive/<uuid:order>/{tail}", page_for(site, view, methods, permissions=[permission]), name=name)

    return [
        at("receive_order", receiving.receive_order_view, methods=["GET"], permission=receiving.SEE),
        at("receive_order_scan", receiving.receive_order_scan_view, "scan/"),
        at("receive_order_line", receiving.receive_order_line_view, "line/"),
        at("receive_order_note", receiving.receive_order_note_view, "note/"),
        at("receive_order_undo", receiving.receive_order_undo_view, "undo/"),
        at("receive_order_post", receiving.receive_order_post_view, "post/"),
    ]


def _picking(site: Any) -> list[Any]:
    def at(name: str, view: View, tail: str = "", methods: Sequence[str] = ("POST",), permission: str = PICK) -> Any:
        return path(f"pick/<uuid:pick_list>/{tail}", page_for(site, view, methods, permissions=[permission]), name=name)

    return [
        at("pick", picking.pick_view, methods=["GET"], permission=SEE_PICK_LISTS),
        at("pick_scan", picking.pick_scan_view, "scan/", permission=SEE_PICK_LISTS),
        at("pick_line", picking.pick_line_view, "line/"),
        at("pick_short", picking.pick_short_view, "short/", methods=["GET", "POST"]),
        at("pick_back", picking.pick_back_view, "back/"),
        at("pick_finish", picking.pick_finish_view, "finish/"),
        at("pack_drop", packing.pack_drop_view, "carton/", permission=SHIP),
        at("pack_ship", packing.pack_ship_view, "ship/", permission=SHIP),
    ]
