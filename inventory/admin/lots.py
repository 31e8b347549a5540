from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import TenantAdmin
from core.codes import Gone, gone_by
from core.errors import DomainError
from core.limits import reach
from inventory.admin.documents import DocumentLink, document_links
from inventory.models import Lot
from inventory.queries.lots import Trace, lot_trace
from inventory.services.lots import lot_kind, lot_refuse_move, lot_status_change

Status = Lot.Status
MOST_GONE = 100  # lots


def _document(move: dict[str, Any]) -> tuple[str, UUID | None]:
    return move["document_type"], move["document_id"] and UUID(move["document_id"])


def _gone(trace: Trace, request: Any) -> list[tuple[dict[str, Any], Gone]]:
    """Who has goods of the lot, and of what was made of it: of the first lots of which goods were issued."""
    issued = {move["lot"] for move in trace.moves if move["kind"] == "issue"}
    lots = {one["lot"]: one for one in trace.lots if one["direction"] != "backwards" and one["lot"] in issued}
    return [(lot, gone) for key, lot in islice(lots.items(), MOST_GONE) for gone in gone_by(UUID(key), request.principal)]


class WhyForm(forms.Form):
    reason = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text="It stays in the lot's journal.")


@admin.register(Lot)
class LotAdmin(TenantAdmin):
    list_display = ["code", "variant", "kind", "status", "expires_on", "supplier_lot"]
    list_filter = ["status", "kind", "expires_on"]
    search_keys = ["code_key"]
    fields = ["variant", "code", "expires_on", "best_before", "supplier_lot", "kind", "status"]
    readonly_fields = ["kind", "status"]
    actions_detail = ["trace", "release", "quarantine", "block", "recall"]

    def save_model(self, request: HttpRequest, obj: Lot, form: Any, change: bool) -> None:
        if change:
            lot_refuse_move(lot=Lot.objects.get(pk=obj.pk), variant_id=obj.variant_id)
        else:
            obj.kind = lot_kind(variant_id=obj.variant_id)
        super().save_model(request, obj, form, change)

    @action(description="Trace", url_path="trace", permissions=["trace"])
    def trace(self, request: Any, object_id: str) -> HttpResponse:
        """Where it came from and where it went."""
        lot = self.get_object(request, object_id)
        if lot is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        found = lot_trace(lot_id=lot.pk, warehouses=reach(request.principal, "inventory.view_stockmove"))
        codes = {one["lot"]: one for one in found.lots}
        documents = document_links(self.admin_site, request, (_document(move) for move in found.moves))
        context = {
            **self.admin_site.each_context(request), "title": "Trace", "subtitle": str(lot), "opts": self.opts, "lot": lot,
            "trace": found, "gone": _gone(found, request), "most_gone": MOST_GONE,
            "moves": [
                {**move, "of": codes[move["lot"]], "at": datetime.fromisoformat(move["occurred_at"]),
                 "quantity": Decimal(move["quantity"]),
                 "document": documents.get(_document(move), DocumentLink(move["document_type"]))}
                for move in found.moves
            ],
            "places": [
                {**place, "of": codes[place["lot"]],
                 **{name: Decimal(place[name]) for name in ("quantity", "reserved")}}
                for place in found.places
            ],
        }  # fmt: skip
        return TemplateResponse(request, "admin/inventory/lot/trace.html", context)

    @action(description="Release", url_path="release", permissions=["release"])
    def release(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._change(request, object_id, Status.RELEASED, "Release")

    @action(description="Quarantine", url_path="quarantine", permissions=["hold"])
    def quarantine(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._change(request, object_id, Status.QUARANTINE, "Quarantine")

    @action(description="Block", url_path="block", permissions=["hold"])
    def block(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._change(request, object_id, Status.BLOCKED, "Block")

    @action(description="Recall", url_path="recall", permissions=["hold"])
    def recall(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return self._change(request, object_id, Status.RECALLED, "Recall")

    def _change(self, request: HttpRequest, object_id: str, status: Lot.Status, title: str) -> HttpResponse:
        """Shows what is on hand and reserved, and asks why."""
        lot = self.get_object(request, object_id)
        if lot is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        needed = "inventory.release_lot" if status == Status.RELEASED else "inventory.hold_lot"
        if not request.user.has_perm(needed):
            raise PermissionDenied
        form = WhyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                lot_status_change(lot_ids=[lot.pk], status=status, reason=form.cleaned_data["reason"])
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, f"{lot} is {status.label.lower()}.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:inventory_lot_change", args=[lot.pk]))
        context = {
            **self.admin_site.each_context(request), "title": title, "subtitle": str(lot), "opts": self.opts, "lot": lot,
            "places": lot.stock_items.exclude(quantity=0).select_related("warehouse", "location"), "form": form,
            "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/inventory/lot/status.html", context)

    def has_trace_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("inventory.view_stockmove"))

    def has_release_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("inventory.release_lot"))

    def has_hold_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("inventory.hold_lot"))
