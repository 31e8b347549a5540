from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.decorators import action
from unfold.widgets import UnfoldBooleanSwitchWidget

from core.admin import TenantAdmin
from core.errors import DomainError
from inventory.admin.fitment import PartsOfVehicle, text, year
from inventory.models import Fitment, VehicleModel
from inventory.queries.vehicle_search import vehicle_search
from inventory.services.vehicles import Choice, vehicles_import


class ImportForm(forms.Form):
    makes = text(1000, help_text="Separated by commas, such as TOYOTA, HONDA. Empty: all makes.")
    year_from = year()
    year_to = year()
    everything = forms.BooleanField(label="All of the file", required=False, widget=UnfoldBooleanSwitchWidget)

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or {}
        if given.get("everything") == any(given.get(name) for name in ("makes", "year_from", "year_to")):
            raise forms.ValidationError("Say which: makes, years, or all of the file.")
        return given

    def choice(self) -> Choice:
        given = self.cleaned_data
        makes = [make.strip() for make in given["makes"].split(",") if make.strip()]
        return Choice(makes, **{name: given[name] for name in ("year_from", "year_to") if given[name]})


@admin.register(VehicleModel)
class VehicleModelAdmin(PartsOfVehicle):
    list_display = ["make", "model", "year", "engine"]
    search_keys = ["model_key"]
    searcher = staticmethod(vehicle_search)
    actions_list = ["import_file"]
    actions_detail = ["parts"]

    @action(description="Import models", url_path="import", permissions=["add"])
    def import_file(self, request: HttpRequest) -> HttpResponse:
        form = ImportForm(request.POST if request.method == "POST" else None)
        back = reverse("admin:inventory_vehiclemodel_changelist")
        if request.method == "POST" and form.is_valid():
            try:
                done = vehicles_import(choice=form.choice())
            except DomainError as error:
                form.add_error(None, error.detail)
            else:
                self.message_user(request, f"{done.created} vehicle models added, {done.unchanged} unchanged.", messages.SUCCESS)
                return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request), "title": "Import vehicle models", "opts": self.opts, "form": form,
            "back": back, "media": self.media + form.media,
        }
        return TemplateResponse(request, "admin/inventory/fitment/import.html", context)


@admin.register(Fitment)
class FitmentAdmin(TenantAdmin):
    list_display = ["variant", "vehicle_model", "position", "quantity_per_vehicle"]
