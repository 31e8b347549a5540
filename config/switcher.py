"""Working for another of one's organizations."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.credentials import ORGANIZATION
from accounts.queries.identity import organizations_of


def view(site: Any) -> Callable[..., HttpResponse]:
    """GET lists one's organizations, in full or, for htmx, the list alone; POST chooses one by its slug."""

    @never_cache
    @csrf_protect
    @require_http_methods(["GET", "POST"])
    def switch_organization(request: Any) -> HttpResponse:
        own = organizations_of(request.user.pk)
        if request.method == "POST":
            return _choose(request, own)
        template = "admin/organization_choices.html" if "HX-Request" in request.headers else "admin/switch_organization.html"
        context = {**site.each_context(request), "title": "Switch organization", "organizations": own}
        request.current_app = site.name
        return TemplateResponse(request, template, context)

    return site.admin_view(switch_organization)  # type: ignore[no-any-return]


def _choose(request: Any, own: list[Any]) -> HttpResponse:
    """To the index, never to a page of a row: that row stays behind in the other organization."""
    chosen = next((organization for organization in own if organization.slug == request.POST.get("slug")), None)
    if chosen is None:
        messages.error(request, "You are not an active member of that organization: choose one of those listed.")
        return HttpResponseRedirect(reverse("admin:switch_organization"))
    # This request's scope stays with the old organization: it writes nothing but the session.
    request.session[ORGANIZATION] = str(chosen.id)
    messages.success(request, f"You now work for {chosen.name}.")
    return HttpResponseRedirect(reverse("admin:index"))
