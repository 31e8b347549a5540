"""Where personal data lives. An app lists its own in `<app>/privacy.py` as PERSONAL.

Upper apps come first, because their rows refer to those of lower ones. A table may be listed several times, if its
rows meet different fates.
"""

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, NamedTuple

from django.apps import apps

type Erasure = Literal["delete", "pseudonymise", "keep"]


class PersonalData(NamedTuple):
    """`condition` is SQL over the table as `t` that finds the rows of a person.

    It sees %(email)s (in lower case), and %(user_id)s and %(membership_id)s, which are null for who is no member.
    """

    table: str
    label: str
    condition: str
    erasure: Erasure
    reason: str
    replacements: Mapping[str, str] = {}  # of columns, by SQL, where rows are pseudonymised
    hidden: tuple[str, ...] = ()  # columns that an export leaves out: secrets
    shared: bool = False  # the person's own, not this organization's: erased if the person belongs nowhere else
    files: tuple[str, ...] = ()  # columns with keys of private files: exported unless hidden, and erased with the value
    files_of_others: tuple[str, ...] = ()  # SQL of such keys, where the files are not about the person alone: erased as well


def personal_data() -> list[PersonalData]:
    found: list[PersonalData] = []
    for config in reversed(list(apps.get_app_configs())):
        if config.name != "core" and find_spec(name := f"{config.name}.privacy"):
            found += import_module(name).PERSONAL
    return found


def mentioned(column: str) -> str:
    return f"position(%(email)s in lower({column})) > 0"


def without_the_address(column: str) -> str:
    """SQL of a text without the address, however it is capitalized."""
    literally = r"regexp_replace(%(email)s, '[^[:alnum:]]', '\\\&', 'g')"
    return f"regexp_replace({column}, {literally}, 'erased', 'gi')"
