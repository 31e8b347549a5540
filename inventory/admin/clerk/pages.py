"""What the clerk's pages have in common."""

from collections.abc import Sequence
from typing import Any

from django.http import HttpResponse
from django.template.response import TemplateResponse

from core.admin_pages import View, page_for
from core.admin_pages import key_of as key_of
from core.admin_pages import key_or_none as key_or_none
from core.admin_pages import text_of as text_of
from inventory.services.capacity import Overfull

SEE = "inventory.view_stockitem"


def page(site: Any, view: View, methods: Sequence[str] = ("GET", "POST"), *, permission: str = SEE) -> Any:
    return page_for(site, view, methods, permissions=[permission])


def part(request: Any, name: str, *, status: int = 200, **context: Any) -> HttpResponse:
    """A piece of a page."""
    return TemplateResponse(request, f"admin/clerk/{name}.html", context, status=status)


def whole(site: Any, request: Any, name: str, **context: Any) -> HttpResponse:
    return TemplateResponse(request, f"admin/clerk/{name}.html", {**site.each_context(request), **context})


def too_full(overfull: Sequence[Overfull]) -> str:
    """What follows the words about a posting, empty if all of it fits."""
    return "".join(f" But {one.detail}" for one in overfull)
