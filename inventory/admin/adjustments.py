from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import ReadOnlyTenantAdmin
from core.errors import DomainError
from core.limits import reach, within
from inventory.admin.people import NamesPeople
from inventory.models import StockAdjustment, StockAdjustmentLine, StockItem
from inventory.services.adjustments import adjustment_approve, adjustment_reject

APPROVE = "inventory.approve_stockadjustment"


class DecisionForm(forms.Form):
    note = forms.CharField(
        required=False, max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Who rejects says why.",
    )


@admin.register(StockAdjustment)
class StockAdjustmentAdmin(NamesPeople):
    """Adjustments over the limit of their reason: somebody else looks, and approves or rejects."""

    list_display = ["created_at", "warehouse", "reason", "note", "status", "requester", "decided_at"]
    list_filter = ["status", "warehouse"]
    fields = ["warehouse", "reason", "note", "status", "occurred_at", "requester", "decider", "decided_at", "decision_note"]
    actions_detail = ["decide"]
    says_when_empty = "An adjustment over the limit of its reason code waits here for somebody who decides."

    @action(description="Look and decide", url_path="decide", permissions=["decide"])
    def decide(self, request: Any, object_id: str) -> HttpResponse:
        """Shows each line beside the balance of now."""
        row = self.get_object(request, object_id)
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[no-any-return]
        if not self.has_decide_permission(request, row.pk):
            raise PermissionDenied
        form = DecisionForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            verb = adjustment_approve if "approve" in request.POST else adjustment_reject
            try:
                verb(adjustment_id=row.pk, note=form.cleaned_data["note"])
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                row.refresh_from_db()
                self.message_user(request, f"The adjustment is {row.status}.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:inventory_stockadjustment_change", args=[row.pk]))
        context = {
            **self.admin_site.each_context(request), "title": "Look and decide", "subtitle": str(row), "opts": self.opts,
            "adjustment": row, "lines": _lines(row), "form": form, "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/inventory/stockadjustment/decide.html", context)

    def has_decide_permission(self, request: Any, object_id: Any = None) -> bool:
        may = bool(request.user.has_perm(APPROVE))
        if not may or object_id is None:
            return may
        reached = StockAdjustment.objects.filter(within(StockAdjustment, reach(request.principal, APPROVE)))
        return bool(reached.filter(pk=object_id, status=StockAdjustment.Status.PENDING).exists())


def _lines(adjustment: StockAdjustment) -> list[dict[str, Any]]:
    lines = list(adjustment.lines.select_related("variant", "location", "lot").order_by("line"))
    items = StockItem.objects.filter(variant__in={line.variant_id for line in lines})
    have = {(item.variant_id, item.location_id, item.lot_id): item.quantity for item in items}
    shown = []
    for line in lines:
        now = have.get((line.variant_id, line.location_id, line.lot_id), 0)
        after = line.counted if line.counted is not None else now + (line.change or 0)
        shown.append({"line": line, "now": now, "after": after, "difference": after - now})
    return shown


@admin.register(StockAdjustmentLine)
class StockAdjustmentLineAdmin(ReadOnlyTenantAdmin):
    list_display = ["adjustment", "variant", "location", "lot", "change", "counted", "seen"]
