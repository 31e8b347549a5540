"""What Ctrl+K finds: pages by name, rows by the beginning of a search key."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.urls import reverse
from django.utils.text import capfirst

from core.models import ArchivableModel

SHORTEST = 2
ROWS_OF_A_MODEL = 8
MODELS = 12  # each is one statement
PAGES = 6


@dataclass(frozen=True, slots=True)
class Hit:
    title: str
    kind: str
    url: str


def find(site: Any, request: Any, text: str) -> list[Hit]:
    """Rows of the active organization that the user may see; nothing is kept for the next search."""
    text = text.strip()
    if len(text) < SHORTEST or "\0" in text:
        return []
    return [*_rows(site, request, text), *_pages(site, request, text.lower())]


def _rows(site: Any, request: Any, text: str) -> Iterator[Hit]:
    for model, admin in _searched(site, request)[:MODELS]:
        options = model._meta
        rows, _ = admin.get_search_results(request, _candidates(admin, request), text)
        for row in rows[:ROWS_OF_A_MODEL]:
            url = reverse(f"admin:{options.app_label}_{options.model_name}_change", args=[row.pk])
            yield Hit(str(row), capfirst(options.verbose_name), url)


def _searched(site: Any, request: Any) -> list[tuple[type[models.Model], Any]]:
    return [
        (model, admin) for model, admin in site._registry.items()
        if getattr(admin, "in_palette", False) and admin.search_keys and admin.has_view_permission(request)
    ]


def _candidates(admin: Any, request: Any) -> models.QuerySet:
    rows: models.QuerySet = admin.get_queryset(request)
    if issubclass(admin.model, ArchivableModel):
        rows = rows.filter(archived_at=None)
    return rows.select_related(*admin.get_list_select_related(request)).order_by(admin.search_keys[0], "pk")


def _pages(site: Any, request: Any, text: str) -> list[Hit]:
    pages = [page for app in site.get_app_list(request) for page in app["models"]]
    found = [page for page in pages if page["admin_url"] and text in page["name"].lower()]
    return [Hit(page["name"], "Page", page["admin_url"]) for page in found[:PAGES]]
