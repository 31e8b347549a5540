"""`?saved_filter=`: a list with the parameters that somebody saved under a name; those of the request come first.

Saved filters are rows of a higher layer: the setting SAVED_FILTERS names the function that finds one.
"""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl

from django.conf import settings
from django.utils.module_loading import import_string

from core.errors import Invalid
from core.problems import BadParameter

PARAMETER = "saved_filter"
OWN_COLUMNS = {"sort": "sort", "fields": "columns"}  # parameters that are saved beside the query
OF_THE_MOMENT = ("cursor", PARAMETER)


class SavedView(Protocol):
    name: str
    query: str
    columns: list[str]
    sort: str


def saved_query(saved: SavedView) -> dict[str, str]:
    """Raises BadParameter for what is not saved in a query."""
    query = dict(parse_qsl(saved.query, keep_blank_values=True))
    for name in query:
        if name in OF_THE_MOMENT:
            raise BadParameter(name, f"{name} is not a part of a saved filter.")
        if name in OWN_COLUMNS:
            raise BadParameter(name, f"{name} is saved as {OWN_COLUMNS[name]}, not in the query.")
    beside = {"sort": saved.sort, "fields": ",".join(saved.columns)}
    return {**query, **{name: text for name, text in beside.items() if text}}


def with_saved(view: Any, query: Mapping[str, str]) -> dict[str, str]:
    """Raises BadParameter if there is no such filter, or if it does not fit the list any more."""
    try:
        saved: SavedView = import_string(settings.SAVED_FILTERS)(view.model()._meta.label_lower, query[PARAMETER])
    except Invalid as error:
        raise BadParameter(PARAMETER, error.detail) from error
    try:
        kept = saved_query(saved)
        view.refuse_misfit(kept)
    except BadParameter as error:
        sentence = f"The saved filter {saved.name!r} does not fit this list any more: {error.sentence}"
        raise BadParameter(PARAMETER, sentence) from error
    return {**kept, **query}
