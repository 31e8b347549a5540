"""A posting is undone by the same moves the other way; the ledger keeps both."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet

from core.errors import Conflict, Invalid, NotFound
from inventory.models import StockMove
from inventory.queries.stock import REVERSAL
from inventory.services.locks import lock_reversals
from inventory.services.posting import Line, Posted
from inventory.services.stock import ASSEMBLY, USUAL, Circumstances, Document, post, posted_before


def stock_reverse(*, moves: Collection[UUID], circumstances: Circumstances = USUAL) -> Posted:
    """All of the moves or none, each once. The lots stay what they are, and so do the costs.

    Raises Conflict for what is reversed already, or is undone by its document, or names the goods that are gone since. The
    reversing moves have the document of the reversed ones, if they share one.
    """
    if done := posted_before(kind=REVERSAL, key=circumstances.idempotency_key):
        return done
    lock_reversals()
    found = reversible(moves=moves)
    _refuse_before(found, circumstances.occurred_at)
    lines = [
        Line(
            move.variant_id, move.quantity, move.to_location_id, move.from_location_id, lot_id=move.lot_id,
            unit_cost=move.unit_cost, document_line_id=move.document_line_id, kind=move.kind, reverses_id=move.pk,
        )
        for move in found
    ]
    documents = {(move.document_type, move.document_id) for move in found if move.document_id}
    if circumstances.document is None and len(documents) == 1:
        [(kind, document_id)] = documents
        circumstances = replace(circumstances, document=Document(kind, document_id))
    return post(kind=REVERSAL, lines=lines, circumstances=circumstances)


def _refuse_before(moves: Collection[StockMove], undone_at: datetime | None) -> None:
    if undone_at and (early := [str(move.seq) for move in moves if move.occurred_at > undone_at]):
        raise Invalid(
            f"Move {', '.join(early)} happened later than that: nothing is undone before it was done.",
            fields={"occurred_at": "too early"},
        )


def document_reverse(*, document: Document, circumstances: Circumstances = USUAL) -> Posted:
    """What of the document's moves is not reversed yet."""
    if done := posted_before(kind=REVERSAL, key=circumstances.idempotency_key):
        return done
    lock_reversals()
    rows = StockMove.objects.filter(document_id=document.id, document_type=document.type, reverses=None)
    open_moves = rows.exclude(pk__in=_reversals().filter(document_id=document.id).values("reverses_id"))
    if not (moves := list(open_moves.order_by("seq").values_list("pk", flat=True))):
        if not rows.exists():
            raise NotFound("There are no moves of such a document.")
        raise Conflict("All moves of this document are reversed already.", code="reversed")
    return stock_reverse(moves=moves, circumstances=replace(circumstances, document=document))


def reversible(*, moves: Collection[UUID]) -> list[StockMove]:
    """The moves, last first, as they would be reversed. Raises NotFound or Conflict."""
    if not moves:
        raise Invalid("Say which moves to reverse.", fields={"moves": "empty"})
    found = list(StockMove.objects.filter(pk__in=moves).order_by("-seq"))
    if len(found) != len(set(moves)):
        raise NotFound("There is no such move.")
    if reversals := [str(move.seq) for move in found if move.reverses_id]:
        raise Conflict(f"Move {', '.join(reversals)} is itself a reversal: post what happened anew.", code="is_reversal")
    for move in found:
        if way := settings.UNDONE_BY_THEIR_DOCUMENT.get(move.document_type):
            raise Conflict(f"Move {move.seq} stays as it is. {way}", code="undone_by_document")
    done = set(_reversals().filter(reverses__in=moves).values_list("reverses_id", flat=True))
    if again := [str(move.seq) for move in found if move.pk in done]:
        raise Conflict(f"Move {', '.join(again)} is reversed already.", code="reversed")
    _refuse_halves(found)
    return found


def _refuse_halves(moves: Collection[StockMove]) -> None:
    """A kit is worth what its components were: one side is not undone without the other."""
    assemblies = {move.document_id for move in moves if move.kind == StockMove.Kind.ASSEMBLY}
    if not assemblies:
        return
    whole = StockMove.objects.filter(document_type=ASSEMBLY, document_id__in=assemblies, reverses=None)
    done = _reversals().filter(document_id__in=assemblies).values("reverses_id")
    rest = whole.exclude(pk__in=[move.pk for move in moves]).exclude(pk__in=done).order_by("seq")
    if left := [str(seq) for seq in rest.values_list("seq", flat=True)]:
        raise Conflict(
            f"An assembly is undone as a whole: reverse move {', '.join(left)} of it as well.", code="part_of_an_assembly",
        )


def _reversals() -> QuerySet[StockMove]:
    found: QuerySet[StockMove] = StockMove.objects.exclude(reverses=None)
    return found
