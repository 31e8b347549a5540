from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import TenantTabularInline, plainly
from core.admin_actions import confirmed
from orders.admin.documents import DocumentAdmin
from orders.admin.kits import OfKit
from orders.admin.pick_list_pages import pick_page, short_page
from orders.machines import PICK_LISTS
from orders.models import PickList, PickListItem
from orders.queries.pick_list_papers import pick_list_pdf
from orders.services.pick_lists import (
    pick_list_assign,
    pick_list_cancel,
    pick_list_create,
    pick_list_finish,
    pick_list_pick_rest,
    pick_list_start,
)


class PickListItemInline(OfKit, TenantTabularInline):
    model = PickListItem
    tab = False
    extra = 0
    can_delete = False
    ordering = ("line",)
    fields = readonly_fields = (
        "stock_item", "variant", "lot", "order_item", "kit", *(
            plainly(PickListItem, name) for name in ("quantity", "picked_quantity", "short_quantity")
        ), "short_reason",
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _as_order(verb: Callable[..., PickList]) -> Callable[..., PickList]:
    def act(order: PickList) -> PickList:
        return verb(pick_list=order)

    return act


@admin.register(PickList)
class PickListAdmin(DocumentAdmin):
    """What one person takes in one round. A new one takes what waits in its warehouse; of chosen orders, see their list."""

    machine = PICK_LISTS
    says_when_empty = "Open a sales order and press Pick, or tick several in their list and make a pick list of them."
    list_display = ["number", "status", "warehouse", "assignee", "created_at", "started_at", "finished_at"]
    list_filter = ["status", "warehouse"]
    search_keys = ["number_key"]
    fields = ["number", "status", "warehouse", "assignee", "started_at", "finished_at"]
    readonly_fields = ["number", "status", "started_at", "finished_at"]
    inlines = [PickListItemInline]
    actions_detail = ["start", "scan", "pick", "pick_rest", "short", "finish", "paper", "cancel"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        if obj is None:
            return fixed
        return [*fixed, "warehouse", *(["assignee"] if obj.status in PickList.OVER else [])]

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return [] if obj is None else self.inlines

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: PickList, form: Any, change: bool) -> None:
        if not change:
            made = pick_list_create(warehouse_id=obj.warehouse_id, assignee_id=obj.assignee_id)
        elif "assignee" in form.changed_data:
            made = pick_list_assign(pick_list=obj, assignee_id=obj.assignee_id)
        else:
            return
        obj.__dict__.update(made.__dict__)

    @action(description="Start", url_path="start", permissions=["start"])
    @confirmed("Go round with this list? Its orders are being picked from now on.")
    def start(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "start", _as_order(pick_list_start))

    @action(description="Pick by scanner", url_path="scan", permissions=["scan"])
    def scan(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:pick", args=[object_id]))

    def has_scan_permission(self, request: Any, object_id: Any = None) -> bool:
        """Until it is canceled: what was picked is packed there too."""
        may = bool(request.user.has_perm(PICK_LISTS.by_verb["pick"].permission))
        return may and not PickList.objects.filter(pk=object_id, status=PickList.Status.CANCELLED).exists()

    @action(description="Pick", url_path="pick", permissions=["pick"])
    def pick(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "pick", pick_page(self, request))

    @action(description="All picked", url_path="pick-rest", permissions=["pick"])
    @confirmed("Is all that is open taken from its place?")
    def pick_rest(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "pick", _as_order(pick_list_pick_rest))

    @action(description="Short", url_path="short", permissions=["short"])
    def short(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.page_of(request, object_id, "short", short_page(self, request))

    @action(description="Finish", url_path="finish", permissions=["finish"])
    @confirmed("Is the round over? What was picked may be packed.")
    def finish(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "finish", _as_order(pick_list_finish))

    @action(description="Cancel", url_path="cancel", permissions=["cancel"])
    @confirmed("Cancel this list? What was picked goes back on its shelf; all of it stays reserved.")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self.do(request, object_id, "cancel", _as_order(pick_list_cancel))

    @action(description="Print", url_path="paper", permissions=["view"])
    def paper(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        return HttpResponse(pick_list_pdf(row), content_type="application/pdf")
