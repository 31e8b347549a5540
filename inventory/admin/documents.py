"""The documents that moves name, as links: of any app, as far as one may see them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from django.core.exceptions import FieldDoesNotExist
from django.urls import NoReverseMatch, reverse

from core.codes import declared

type Named = tuple[str, UUID | None]


class DocumentLink(NamedTuple):
    """`url` is empty where there is no page, or none that one may see."""

    title: str
    url: str = ""


def document_links(site: Any, request: Any, named: Iterable[Named]) -> Mapping[Named, DocumentLink]:
    """A query for each type of document that has a number. A type is the name of a model, or of what is scanned."""
    models = {model._meta.model_name: (model, page) for model, page in site._registry.items()}
    of_type: dict[str, set[UUID]] = defaultdict(set)
    for kind, key in named:
        if key:
            of_type[kind].add(key)
    links: dict[Named, DocumentLink] = {}
    for kind, keys in of_type.items():
        model, page = models.get(kind.replace("_", ""), (None, None))
        if model is None:
            found = {key: DocumentLink(kind, _scanned_url(request, kind, key)) for key in keys}
        elif page.has_view_permission(request):
            titles = _numbers(model, keys)
            view = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"
            found = {key: DocumentLink(f"{kind} {titles.get(key, '')}".strip(), reverse(view, args=[key])) for key in keys}
        else:
            found = {}
        links |= {(kind, key): link for key, link in found.items()}
    return links


def _numbers(model: Any, keys: Iterable[UUID]) -> dict[UUID, str]:
    try:
        model._meta.get_field("number")
    except FieldDoesNotExist:
        return {}
    return dict(model._default_manager.filter(pk__in=keys).values_list("pk", "number"))


def _scanned_url(request: Any, kind: str, key: UUID) -> str:
    for source in declared():
        if source.kind == kind and source.page and request.user.has_perm(source.permission):
            try:
                return reverse(f"admin:{source.page}", args=[key])
            except NoReverseMatch:
                return ""
    return ""
