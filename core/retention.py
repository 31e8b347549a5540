"""Which classes of rows do not live for ever. An app lists its own in `<app>/retention.py` as DATA_CLASSES."""

from datetime import datetime
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple, Protocol
from uuid import UUID

from django.apps import apps

from core.budget import Budget


class Purge(Protocol):
    def __call__(self, *, organization_id: UUID | None, before: datetime, dry_run: bool, budget: Budget) -> int:
        """Answers how many went, or would. Opens its own scopes; without an organization, for all of them."""


class DataClass(NamedTuple):
    """`condition` and the two below are SQL over the table as `t`; rows are old before %(before)s.

    %(before_id)s is the least id (UUIDv7) of that moment, for tables whose index is (organization, id).
    """

    name: str
    label: str
    keep_days: int  # until the organization says otherwise
    table: str
    condition: str = ""
    pseudonymise: str = ""  # what UPDATE sets, where rows may stay without what names a person
    is_pseudonymous: str = ""  # holds for rows in which that has been done
    shared: bool = False  # of the installation, or of all organizations at once: purged by the default
    purge: Purge | None = None  # in the place of a condition, where SQL does not reach


@cache
def data_classes() -> dict[str, DataClass]:
    found: list[DataClass] = []
    for config in apps.get_app_configs():
        if config.name != "core" and find_spec(name := f"{config.name}.retention"):
            found += import_module(name).DATA_CLASSES
    return {data_class.name: data_class for data_class in found}


def least_id(moment: datetime) -> UUID:
    """Rows written before then have smaller ids."""
    return UUID(int=int(moment.timestamp() * 1000) << 80)
