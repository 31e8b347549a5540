"""Pages of a row that ask for something before they act."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from core.errors import DomainError


def asked[Row](
    page: Any, request: HttpRequest, object_id: str, form_class: type[forms.Form], title: str,
    do: Callable[[Row, dict[str, Any]], str],
) -> HttpResponse:
    """The form; once it is sent and accepted, the row's page with the sentence that `do` gives."""
    if (row := page.get_object(request, object_id)) is None:
        missing: HttpResponse = page._get_obj_does_not_exist_redirect(request, page.opts, object_id)
        return missing
    form = form_class(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        try:
            page.message_user(request, do(row, form.cleaned_data), messages.SUCCESS)
            return HttpResponseRedirect(page_of(page, row))
        except DomainError as refused:
            form.add_error(None, refused.detail)
    context = {
        **page.admin_site.each_context(request), "title": title, "opts": page.opts, "object": row, "form": form,
        "back": page_of(page, row),
    }
    request.current_app = page.admin_site.name
    return TemplateResponse(request, "admin/notifications/question.html", context)


def page_of(page: Any, row: Any) -> str:
    return reverse(f"admin:{page.opts.app_label}_{page.opts.model_name}_change", args=[row.pk])
