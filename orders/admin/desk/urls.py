"""The buyer's, the approver's and the order clerk's pages."""

from typing import Any

from django.urls import path

from core.admin_pages import page_for
from orders.admin.desk.approving import APPROVE, approvals_view, approve_view, refuse_view
from orders.admin.desk.reordering import BUY, ORDER, reorder_view


def urls(site: Any) -> list[Any]:
    """Before the site's own, whose last one takes everything."""
    return [
        path("approvals/", page_for(site, approvals_view, ["GET"], permissions=[APPROVE]), name="approvals"),
        path("approvals/approve/", page_for(site, approve_view, ["POST"], permissions=[APPROVE]), name="approve"),
        path("approvals/refuse/", page_for(site, refuse_view, permissions=[APPROVE]), name="refuse"),
        path("reorder/", page_for(site, reorder_view, permissions=[ORDER, BUY]), name="reorder"),
    ]
