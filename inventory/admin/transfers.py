from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action

from core.admin import TenantAdmin, TenantTabularInline, plainly
from core.admin_actions import confirmed
from core.admin_forms import changed_columns
from core.errors import DomainError
from core.limits import reach
from inventory.admin.transfer_pages import RECEIVE, SHIP, TAKE_BACK, Verb, closing_page, moving_page
from inventory.models import TransferOrder, TransferOrderLine
from inventory.services.transfers import (
    TransferLine,
    transfer_order_cancel,
    transfer_order_change,
    transfer_order_confirm,
    transfer_order_create,
)

Status = TransferOrder.Status
SHIPPABLE = (Status.DRAFT, Status.CONFIRMED, Status.PARTLY_SHIPPED)
IN_TRANSIT = (Status.PARTLY_SHIPPED, Status.SHIPPED)
WRITTEN = ("source", "destination", "to_location", "expected_on", "note")


class LineInline(TenantTabularInline):
    model = TransferOrderLine
    fields = ("variant", "lot", "from_location", "quantity")
    tab = False
    extra = 1

    ordered = staticmethod(plainly(TransferOrderLine, "quantity"))
    shipped = staticmethod(plainly(TransferOrderLine, "shipped_quantity"))
    received = staticmethod(plainly(TransferOrderLine, "received_quantity"))
    lost = staticmethod(plainly(TransferOrderLine, "lost_quantity"))
    canceled = staticmethod(plainly(TransferOrderLine, "cancelled_quantity"))

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        if self._is_draft(obj):
            return self.fields
        return ["variant", "lot", "from_location", "ordered", "shipped", "received", "lost", "canceled"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return () if self._is_draft(obj) else self.get_fields(request, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_draft(obj) and bool(super().has_add_permission(request, obj))  # type: ignore[call-arg]  # an inline's takes it

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._is_draft(obj) and bool(super().has_delete_permission(request, obj))

    @staticmethod
    def _is_draft(obj: Any) -> bool:
        return obj is None or obj.status == Status.DRAFT


@admin.register(TransferOrder)
class TransferOrderAdmin(TenantAdmin):
    """Goods on their way from one warehouse to another."""

    list_display = ["number", "source", "destination", "status", "expected_on", "shipped_at", "received_at"]
    list_filter = ["status", "source", "destination"]
    search_keys = ["number_key"]
    fields = [
        "number", "status", "source", "destination", "to_location", "transit_location", "expected_on", "note", "confirmed_at",
        "shipped_at", "received_at", "closed_at",
    ]
    readonly_fields = ["number", "status", "transit_location", "confirmed_at", "shipped_at", "received_at", "closed_at"]
    inlines = [LineInline]
    actions_detail = ["confirm", "ship", "receive", "take_back", "close", "cancel"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        fixed = super().get_readonly_fields(request, obj)
        if obj is None or obj.status == Status.DRAFT:
            return fixed
        ends = ["source", "destination"]
        return [*fixed, *ends, *(["to_location", "expected_on", "note"] if obj.status in TransferOrder.OVER else [])]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: TransferOrder, form: Any, change: bool) -> None:
        if change:
            columns = changed_columns(obj, form.changed_data)
            made = transfer_order_change(order=obj, **{name: getattr(obj, name) for name in columns}) if columns else obj
        else:
            made = transfer_order_create(**{name: form.cleaned_data[name] for name in WRITTEN})
        obj.__dict__.update(made.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """All lines at once, as the API writes them."""
        has_changed = formset.has_changed()
        filled = [one.cleaned_data for one in formset.forms]
        kept = [one for one in filled if one.get("variant") and not one.get("DELETE")]
        formset.save(commit=False)  # which fills what the page tells of it
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        if not has_changed:
            return
        transfer_order_change(order=form.instance, lines=[
            TransferLine(
                one["variant"].pk, one["quantity"], one["lot"].pk if one["lot"] else None,
                one["from_location"].pk if one["from_location"] else None,
            )
            for one in kept
        ])

    @action(description="Confirm", url_path="confirm", permissions=["confirm"])
    @confirmed("Confirm this transfer order? Its goods are reserved at the source, and its lines stay as they are.")
    def confirm(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, self.has_confirm_permission, transfer_order_confirm)

    @action(description="Ship", url_path="ship", permissions=["ship"])
    def ship(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._move(request, object_id, self.has_ship_permission, SHIP)

    @action(description="Receive", url_path="receive", permissions=["receive"])
    def receive(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._move(request, object_id, self.has_receive_permission, RECEIVE)

    @action(description="Take back", url_path="take-back", permissions=["take_back"])
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._move(request, object_id, self.has_take_back_permission, TAKE_BACK)

    @action(description="Close", url_path="close", permissions=["close"])
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._page(request, object_id, self.has_close_permission, lambda order: closing_page(self, request, order))

    @action(description="Cancel what is not shipped", url_path="cancel", permissions=["cancel"])
    @confirmed("Cancel what is not shipped? It stays where it is, and is free again.")
    def cancel(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._do(request, object_id, self.has_cancel_permission, transfer_order_cancel)

    def has_confirm_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, "confirm", (Status.DRAFT,), "source")

    def has_ship_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, "ship", SHIPPABLE, "source")

    def has_receive_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, "receive", IN_TRANSIT, "destination")

    def has_take_back_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, "ship", IN_TRANSIT, "source")

    def has_close_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, "close", IN_TRANSIT, "source", "destination")

    def has_cancel_permission(self, request: Any, object_id: Any = None) -> bool:
        return self._may(request, object_id, "change", SHIPPABLE, "source", "destination")

    def _may(self, request: Any, object_id: Any, verb: str, among: tuple[str, ...], *ends: str) -> bool:
        """At one of the ends, in one of these states."""
        permission = f"inventory.{verb}_transferorder"
        may = bool(request.user.has_perm(permission))
        if not may or object_id is None:
            return may
        order = TransferOrder.objects.filter(pk=object_id, status__in=among).first()
        where = reach(request.principal, permission)
        return order is not None and (where is None or any(getattr(order, f"{end}_id") in where for end in ends))

    def _move(self, request: HttpRequest, object_id: str, may: Callable[..., bool], verb: Verb) -> HttpResponse:
        return self._page(request, object_id, may, lambda order: moving_page(self, request, order, verb))

    def _page(
        self, request: Any, object_id: str, may: Callable[..., bool], page: Callable[[TransferOrder], HttpResponse],
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        if order is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        if not may(request, order.pk):
            raise PermissionDenied
        return page(order)

    def _do(self, request: Any, object_id: str, may: Callable[..., bool], verb: Callable[..., TransferOrder]) -> HttpResponse:
        """At once, without a page of its own."""

        def done(order: TransferOrder) -> HttpResponse:
            try:
                with transaction.atomic():
                    row = verb(order=order)
            except DomainError as error:
                self.message_user(request, error.detail, messages.ERROR)
            else:
                state = row.get_status_display().lower()
                self.message_user(request, f"Transfer order {row.number} is {state}.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:inventory_transferorder_change", args=[order.pk]))

        return self._page(request, object_id, may, done)
