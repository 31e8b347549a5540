"""Printing labels of the rows that are selected in a list."""

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from core.admin import TenantAdmin
from core.errors import Invalid
from inventory.labels.layouts import DEFAULT, LAYOUTS
from inventory.queries.labels import AUTO, MOST, SYMBOLS, Wanted, labels_of, labels_pdf


class LabelsForm(forms.Form):
    layout = forms.ChoiceField(
        choices=[(code, layout.name) for code, layout in LAYOUTS.items()], initial=DEFAULT, label="Paper",
        widget=UnfoldAdminSelectWidget,
    )
    symbol = forms.ChoiceField(choices=list(SYMBOLS.items()), initial=AUTO, widget=UnfoldAdminSelectWidget)
    copies = forms.IntegerField(
        min_value=1, max_value=MOST, initial=1, label="Copies of each", widget=UnfoldAdminIntegerFieldWidget,
    )
    skip = forms.IntegerField(
        min_value=0, max_value=99, initial=0, label="Used up", help_text="Labels of the first sheet that are gone already.",
        widget=UnfoldAdminIntegerFieldWidget,
    )


class LabelledAdmin(TenantAdmin):
    """For variants and locations: `label_of` says which."""

    actions = ["print_labels"]
    label_of = "variant"

    @admin.action(description="Print labels", permissions=["view"])
    def print_labels(self, request: HttpRequest, queryset: models.QuerySet) -> HttpResponse:
        """A page that asks for paper and copies; then the PDF, which the browser shows and prints."""
        ids = list(queryset.order_by("pk").values_list("pk", flat=True)[: MOST + 1])
        asked = request.POST.get("print")
        form = LabelsForm(request.POST if asked else None)
        if asked and form.is_valid():
            chosen, holder = form.cleaned_data, request.principal  # type: ignore[attr-defined]  # the middleware sets it
            wanted = [Wanted(**{self.label_of: pk}, copies=chosen["copies"], symbol=chosen["symbol"]) for pk in ids]
            try:
                pdf = labels_pdf(labels_of(wanted, holder), layout=chosen["layout"], skip=chosen["skip"])
            except Invalid as error:
                form.add_error(None, error.detail)
            else:
                disposition = {"Content-Disposition": 'inline; filename="labels.pdf"'}
                return HttpResponse(pdf, content_type="application/pdf", headers=disposition)
        context = {
            **self.admin_site.each_context(request), "title": "Print labels", "opts": self.opts, "form": form,
            "count": len(ids), "selected": request.POST.getlist(ACTION_CHECKBOX_NAME), "media": self.media + form.media,
            "select_across": request.POST.get("select_across", "0"),
            "back": reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_changelist"),
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/inventory/print_labels.html", context)
