"""Everything with a code that is scanned.

An app above the inventory, which reads scans, lists its own in `<app>/scanned.py` as SOURCES. There `gone_by` says by which of
the app's documents goods of a lot have left, if it has such.
"""

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from decimal import Decimal
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

from django.apps import apps

from core.limits import Holder


class Source(NamedTuple):
    """A kind of thing with a code, in the order in which a scan is taken for one.

    `sql` finds kind, place in the order, id, variant, quantity, and what it is called. Its parameters: organization, gtins, texts
    (as scanned), keys and lots (in lower case), glns, ssccs, and warehouses (null for all). Who may not see the kind gets none of
    it. `page`: the admin's page that opens with its id, where it is more than a card. Of a document that is to bring goods,
    `receive` is what one needs to receive them there, and `takes` says which of some documents take goods now.
    """

    kind: str
    permission: str
    sql: str
    page: str = ""
    receive: str = ""
    takes: Callable[[Collection[UUID]], Collection[UUID]] = lambda _: ()


class Gone(NamedTuple):
    """Goods that have left by a document and did not come back. `url`: its page in the admin; `take_back`: the one on which they
    are taken back, of who may do so.
    """

    title: str
    url: str
    to: str
    at: datetime
    quantity: Decimal
    take_back: str = ""


PLACE = "SELECT '{0}', {1}, c.id, NULL::uuid, NULL::numeric, {2} FROM {3} WHERE c.organization_id = %(organization)s AND {4}"
WITHIN = "(%(warehouses)s::uuid[] IS NULL OR {0} = ANY (%(warehouses)s::uuid[]))"


@cache
def declared() -> tuple[Source, ...]:
    return tuple(_declared())


def gone_by(lot: UUID, holder: Holder) -> list[Gone]:
    """By which documents goods of a lot or a serial number have left, as far as the holder may see them; the last first."""
    tellers = (module.gone_by for module in _modules() if hasattr(module, "gone_by"))
    return sorted((one for tell in tellers for one in tell(lot, holder)), key=attrgetter("at"), reverse=True)


def _declared() -> Iterator[Source]:
    for module in _modules():
        yield from module.SOURCES


def _modules() -> Iterator[Any]:
    for config in apps.get_app_configs():
        if config.name != "core" and find_spec(name := f"{config.name}.scanned"):
            yield import_module(name)
