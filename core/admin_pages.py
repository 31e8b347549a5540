"""Pages of the admin that scans and keys fill piece by piece."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.http import require_http_methods

from core.characters import CONTROL, REFUSAL
from core.errors import Conflict, DomainError, Invalid, NotFound

FNC1 = "\x1d"  # between the parts of a GS1 symbol

type View = Callable[..., HttpResponse]


def page_for(site: Any, view: View, methods: Sequence[str] = ("GET", "POST"), *, permissions: Sequence[str]) -> Any:
    """What a service refuses is said in words, and nothing of the request is kept. What the address names, the view is given."""

    def shown(request: Any, **named: Any) -> HttpResponse:
        if not request.user.has_perms(permissions):
            raise PermissionDenied
        request.current_app = site.name
        try:
            with transaction.atomic():
                return view(site, request, **named)
        except DomainError as error:
            return TemplateResponse(request, "core/problem.html", {"problem": error.detail}, status=_status(error))

    return site.admin_view(require_http_methods(list(methods))(shown))


def key_of(given: Any, name: str) -> UUID:
    """An id of the query or the form. Raises Http404."""
    if (found := key_or_none(given, name)) is None:
        raise Http404
    return found


def key_or_none(given: Any, name: str) -> UUID | None:
    try:
        return UUID(given.get(name, ""))
    except ValueError:
        return None


def text_of(given: Any, name: str, *, longest: int = 200, is_scan: bool = False) -> str:
    """Raises Invalid for control characters, of which FNC1 alone belongs in a scan."""
    text: str = given.get(name, "").strip(" \t\r\n")
    if len(text) > longest:
        raise Invalid(f"This is too long: at most {longest} characters.")
    if CONTROL.search(text.replace(FNC1, "") if is_scan else text):
        raise Invalid(REFUSAL)
    return text


def _status(error: DomainError) -> int:
    kinds = ((NotFound, 404), (Conflict, 409), (Invalid, 422))
    return next((status for kind, status in kinds if isinstance(error, kind)), 403)
