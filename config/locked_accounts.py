"""Who is locked out by wrong passwords or codes, and letting them try again."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.http import require_http_methods

from accounts.models import Membership
from accounts.services.attempts import account_unlock, locked_accounts


def view(site: Any) -> Callable[..., HttpResponse]:
    @never_cache
    @csrf_protect
    @require_http_methods(["GET", "POST"])
    def locked_accounts_page(request: Any) -> HttpResponse:
        if not request.user.has_perm("accounts.change_membership"):
            raise PermissionDenied("Only who may change memberships sees who is locked out.")
        shown = _shown(request)
        if request.method == "POST":
            if (email := request.POST.get("email", "")) in shown:
                account_unlock(account=email)
                messages.success(request, f"{email} may sign in again.")
            else:
                messages.error(request, "That account is not locked, or not a member here.")
            return HttpResponseRedirect(reverse("admin:locked_accounts"))
        request.current_app = site.name
        context = {**site.each_context(request), "title": "Locked accounts", "accounts": sorted(shown.items())}
        return TemplateResponse(request, "admin/locked_accounts.html", context)

    return site.admin_view(locked_accounts_page)  # type: ignore[no-any-return]


def _shown(request: Any) -> dict[str, int]:
    """Platform staff see all of them, others their organization's members."""
    locked = locked_accounts()
    if request.user.is_superuser:
        return locked
    own = set(Membership.objects.filter(user__email__in=locked).values_list("user__email", flat=True))
    return {email: failures for email, failures in locked.items() if email in own}
