"""Platform staff act for a member, and end it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods, require_POST
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.credentials import PROVED
from accounts.impersonation import IMPERSONATION, leave, remember
from accounts.services.impersonation import SHORTEST_REASON, impersonation_start
from core.errors import DomainError


class ActForm(forms.Form):
    email = forms.EmailField(label="E-mail address of the member", widget=UnfoldAdminEmailInputWidget)
    organization = forms.SlugField(label="Organization", help_text="Its slug: northwind.", widget=UnfoldAdminTextInputWidget)
    reason = forms.CharField(
        min_length=SHORTEST_REASON, max_length=500, label="Reason", widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text="The member is told by mail, and it stands in the organization's audit trail.",
    )


def act_view(site: Any) -> Callable[..., HttpResponse]:
    """Served outside any organization: the member's is opened to note that it began."""

    @never_cache
    @csrf_protect
    @require_http_methods(["GET", "POST"])
    def act_for_member(request: Any) -> HttpResponse:
        if not request.user.is_superuser or IMPERSONATION in request.session:
            raise PermissionDenied("Only platform staff act for members, and for one at a time.")
        form = ActForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            try:
                started = impersonation_start(
                    impersonator=request.user, proved=request.session.get(PROVED, False), origin=request.origin,
                    **form.cleaned_data,
                )
            except DomainError as error:
                for name, text in getattr(error, "fields", {}).items() or [(None, error.detail)]:
                    form.add_error(name, text)
            else:
                remember(request, started)
                return HttpResponseRedirect(reverse("admin:index"))
        request.current_app = site.name
        context = {**site.each_context(request), "title": "Act for a member", "form": form}
        return TemplateResponse(request, "admin/act_for_member.html", context)

    return site.admin_view(act_for_member)  # type: ignore[no-any-return]


def end_view(site: Any) -> Callable[..., HttpResponse]:
    @never_cache
    @csrf_protect
    @require_POST
    def end_impersonation(request: Any) -> HttpResponse:
        leave(request, request.origin)
        messages.success(request, "You act for nobody any more.")
        return HttpResponseRedirect(reverse("admin:index"))

    return site.admin_view(end_impersonation)  # type: ignore[no-any-return]
