from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminDateWidget, UnfoldAdminTextInputWidget

from core.admin import ReadOnlyTenantAdmin
from core.errors import DomainError
from inventory.models import StockClosing
from inventory.queries.closings import closed_through
from inventory.services.closings import period_close, period_reopen

CLOSE, REOPEN = "inventory.close_stockclosing", "inventory.reopen_stockclosing"


class CloseForm(forms.Form):
    through = forms.DateField(widget=UnfoldAdminDateWidget, help_text="The last day that is closed.")
    note = forms.CharField(required=False, max_length=500, widget=UnfoldAdminTextInputWidget)


class ReopenForm(forms.Form):
    through = forms.DateField(
        required=False, widget=UnfoldAdminDateWidget, help_text="The last day that stays closed; empty: none.",
    )
    note = forms.CharField(max_length=500, widget=UnfoldAdminTextInputWidget, help_text="Why it is opened again.")


@admin.register(StockClosing)
class StockClosingAdmin(ReadOnlyTenantAdmin):
    """The last row counts."""

    list_display = ["seq", "closed_through", "note", "actor_id", "created_at"]
    ordering = ("-seq",)
    actions_list = ["close", "reopen"]

    @action(description="Close a period", url_path="close", permissions=["close"])
    def close(self, request: HttpRequest) -> HttpResponse:
        return self._ask(request, CloseForm, period_close, "Close a period", CLOSE)

    @action(description="Reopen", url_path="reopen", permissions=["reopen"])
    def reopen(self, request: HttpRequest) -> HttpResponse:
        return self._ask(request, ReopenForm, period_reopen, "Reopen", REOPEN)

    def _ask(self, request: HttpRequest, form_class: Any, verb: Any, title: str, needed: str) -> HttpResponse:
        if not request.user.has_perm(needed):
            raise PermissionDenied
        form = form_class(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                row = verb(**form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, f"The books of the stock: {row}.", messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:inventory_stockclosing_changelist"))
        context = {
            **self.admin_site.each_context(request), "title": title, "opts": self.opts, "form": form,
            "closed_through": closed_through(), "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/inventory/stockclosing/change.html", context)

    def has_close_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(CLOSE))

    def has_reopen_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm(REOPEN))
