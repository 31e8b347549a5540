"""What Ctrl+K finds: pages by name, rows by the beginning of a search key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils.text import capfirst

from core.models import ArchivableModel

SHORTEST = 2
ROWS_OF_A_MODEL = 8
MODELS = 10  # with rows that match
PAGES = 6


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    kind: str
    url: str
    note: str = ""
    in_place: bool = False  # shown on the page that one is on


def find(site: Any, request: Any, text: str) -> list[Hit]:
    """Rows of the active organization that the user may see; nothing is kept for the next search.

    One statement looks through all models, and one more reads the rows of each that has any. What has a card comes first.
    """
    text = text.strip()
    if len(text) < SHORTEST or "\0" in text:
        return []
    rows = sorted(_rows(_searched(site, request), request, text), key=lambda hit: not hit.in_place)
    return [*rows, *_pages(site, request, text.lower())]


def _searched(site: Any, request: Any) -> list[Any]:
    """In the order of the sidebar, which holds what the user may see."""
    shown = [page["model"] for app in site.get_app_list(request) for page in app["models"] if page["admin_url"]]
    admins = [site.get_model_admin(model) for model in shown]
    return [admin for admin in admins if admin.in_palette and admin.search_keys]


def _rows(admins: list[Any], request: Any, text: str) -> Iterator[Hit]:
    parts = [_keys(number, admin, request, text) for number, admin in enumerate(admins)]
    found: dict[int, list[str]] = {}
    for number, key in parts[0].union(*parts[1:], all=True) if parts else ():
        found.setdefault(number, []).append(key)
    for number in sorted(found)[:MODELS]:
        admin = admins[number]
        options = admin.opts
        rows = admin.get_queryset(request).filter(pk__in=found[number])
        shown = list(rows.select_related(*admin.get_list_select_related(request)).order_by(admin.search_keys[0], "pk"))
        cards = admin.palette_cards(request, shown)
        for row in shown:
            kind = capfirst(str(options.verbose_name))
            if row.pk in cards:
                url, note = cards[row.pk]
                yield Hit(str(row), kind, url, note, in_place=True)
            else:
                yield Hit(str(row), kind, reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk]))


def _keys(number: int, admin: Any, request: Any, text: str) -> QuerySet:
    rows = admin.get_queryset(request)
    if issubclass(admin.model, ArchivableModel):
        rows = rows.filter(archived_at=None)
    matching: QuerySet = admin.get_search_results(request, rows, text)[0]
    ordered = matching.order_by(admin.search_keys[0], "pk")
    return ordered.values_list(Value(number), Cast("pk", TextField()))[:ROWS_OF_A_MODEL]


def _pages(site: Any, request: Any, text: str) -> list[Hit]:
    pages = [page for app in site.get_app_list(request) for page in app["models"]]
    found = [page for page in pages if page["admin_url"] and text in page["name"].lower()]
    return [Hit(page["name"], "Page", page["admin_url"]) for page in found[:PAGES]]
