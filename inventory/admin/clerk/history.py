"""Why is it this number: the ledger of a variant, or of one of its places, with what was there after each move."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse

from accounts.models import ApiKey, Membership
from accounts.queries.history import people_named
from core.errors import DomainError, Invalid
from core.limits import reach, refuse_outside, within
from inventory.admin.clerk.day_bars import day_bars
from inventory.admin.clerk.pages import SEE, key_of, key_or_none, part, text_of, whole
from inventory.admin.clerk.undoing import REVERSE
from inventory.admin.documents import DocumentLink, Named, document_links
from inventory.models import Location, Lot, ProductVariant, StockItem, StockMove
from inventory.queries.stock_history import Asked, MoveLine, Since, stock_history, stock_proof, stock_since
from inventory.services.reversal import reversible, stock_reverse
from inventory.services.stock import Circumstances

LEDGER = "inventory.view_stockmove"
HOW = (
    "loc:A-01 or loc:MAIN/A-01 of a location, lot:L7 of a lot, by:ana of a person, doc:stock_adjustment of a document;"
    ' in quotes if there is a blank in it, as in loc:"A 01"'
)
WORD = re.compile(r'([A-Za-z]+:)"([^"]*)"|(\S+)')
FARTHEST = 2**63 - 1


def history_view(site: Any, request: Any) -> HttpResponse:
    context = _ledger(site, request, request.GET)
    return whole(site, request, "history", title="History", subtitle=str(context["variant"]), **context)


def verify_view(site: Any, request: Any) -> HttpResponse:
    """Balances against the sums of all moves, place by place."""
    asked = Asked(key_of(request.GET, "variant"), reach(request.principal, LEDGER))
    proofs = stock_proof(asked)
    wrong = [proof for proof in proofs if proof.balance != proof.moved]
    total, moves = sum(proof.balance for proof in proofs), sum(proof.moves for proof in proofs)
    return part(request, "verified", wrong=wrong, places=len(proofs), total=total, moves=moves)


def reverse_view(site: Any, request: Any) -> HttpResponse:
    """Proposes the move that would undo one; does it when it is sent."""
    given = request.POST if request.method == "POST" else request.GET
    [move] = reversible(moves=[key_of(given, "move")])
    sides = {side for side in (move.from_location_id, move.to_location_id) if side}
    refuse_outside(Location, sides, reach(request.principal, REVERSE))
    problem = ""
    if request.method == "POST":
        note, key = text_of(given, "note", longest=500), f"admin:{key_of(given, 'token')}"
        try:
            if not note:
                raise Invalid("Say why it is undone.")
            with transaction.atomic():
                stock_reverse(moves=[move.pk], circumstances=Circumstances(note=note, idempotency_key=key))
            return part(request, "ledger", done=f"Move {move.seq} is reversed.", **_ledger(site, request, given))
        except DomainError as error:
            problem = error.detail
    rows = StockMove.objects.select_related("variant", "lot", "from_location", "to_location")
    response = part(
        request, "reverse_line", move=rows.get(pk=move.pk), token=uuid4(), q=text_of(given, "q"), problem=problem,
    )
    response.headers["HX-Retarget"] = "#ledger-line"
    return response


# --- What is looked at ---------------------------------------------------------------------------------------
def _ledger(site: Any, request: Any, given: Any) -> dict[str, Any]:
    variant = ProductVariant.objects.filter(pk=key_of(given, "variant")).first()
    if variant is None:
        raise Http404
    asked = Asked(variant.pk, reach(request.principal, LEDGER), before=_number(given.get("before", "")))
    words, problem = _words(request, given, asked), ""
    try:
        asked = _narrowed(asked, words)
    except Invalid as error:
        problem = error.detail
    lines, older = stock_history(asked)
    people, keys = _names(lines)
    documents = document_links(site, request, ((line.document_type, line.document_id) for line in lines))
    since = stock_since(replace(asked, actors=None, document=None)) if asked.before is None else None
    return {
        "variant": variant, "q": words, "problem": problem, "how": HOW, "older": older, "is_later": asked.before is not None,
        "rows": [_shown(line, people, keys, documents) for line in lines],
        "has_balance": asked.actors is None and asked.document is None,
        "sentences": _sentences(since) if since else [], "days": day_bars(asked, lines),
        "may_reverse": request.user.has_perm(REVERSE),
    }


def _words(request: Any, given: Any, asked: Asked) -> str:
    """What stands in the field; from the card, the place that was chosen there."""
    text = text_of(given, "q")
    if text or (key := key_or_none(given, "item")) is None:
        return text
    seen = StockItem.objects.filter(within(StockItem, reach(request.principal, SEE)), pk=key, variant=asked.variant)
    if (item := seen.select_related("location", "warehouse", "lot").first()) is None:
        return ""
    named = {"loc": item.location.code, **({"lot": item.lot.code} if item.lot else {})}
    if _called(item.location.code, asked).count() > 1:
        named["loc"] = f"{item.warehouse.code}/{item.location.code}"
    return " ".join(f'{kind}:"{code}"' if " " in code else f"{kind}:{code}" for kind, code in named.items())


def _called(code: str, asked: Asked) -> QuerySet[Location]:
    """Where the variant has been."""
    rows: QuerySet[Location] = Location.objects.filter(code_key=code.lower(), stock_items__variant=asked.variant).distinct()
    return rows if asked.warehouses is None else rows.filter(warehouse__in=asked.warehouses)


def _narrowed(asked: Asked, words: str) -> Asked:
    """Raises Invalid."""
    for found in WORD.finditer(words):
        kind, colon, value = "".join(part or "" for part in found.groups()).partition(":")
        if not colon or not value:
            raise Invalid(f"{found[0]} is no filter: {HOW}.")
        asked = _one_more(asked, kind.lower(), value)
    return asked


def _one_more(asked: Asked, kind: str, value: str) -> Asked:
    if kind == "loc":
        return replace(asked, location=_place(value, asked))
    if kind == "lot":
        lot = Lot.objects.filter(variant=asked.variant, code_key=value.lower()).first()
        if lot is None:
            raise Invalid(f"There is no lot {value} of it.")
        return replace(asked, lot=lot.pk)
    if kind == "by":
        named = Membership.objects.filter(Q(user__name__icontains=value) | Q(user__email__icontains=value))
        return replace(asked, actors=list(named.values_list("user_id", flat=True)))
    if kind == "doc":
        return replace(asked, document=value)
    raise Invalid(f"{kind}: is no filter: {HOW}.")


def _place(value: str, asked: Asked) -> UUID:
    """Of the location's code, or of the warehouse's, a slash, and the location's. Raises Invalid."""
    found = list(_called(value, asked).select_related("warehouse"))
    if not found and "/" in value:
        warehouse, _, code = value.partition("/")
        found = list(_called(code, asked).filter(warehouse__code_key=warehouse.lower()))
    if not found:
        raise Invalid(f"It lay at no location that is called {value}.")
    if len(found) > 1:
        ways = " or ".join(sorted(f"loc:{one.warehouse.code}/{one.code}" for one in found))
        raise Invalid(f"Several locations are called {value}: write {ways}.")
    return found[0].pk


def _number(text: str) -> int | None:
    return min(int(text), FARTHEST) if text.isascii() and text.isdigit() and len(text) < 20 else None


# --- In words ------------------------------------------------------------------------------------------------
def _names(lines: list[MoveLine]) -> tuple[dict[UUID, str], dict[UUID, str]]:
    people = people_named({line.actor_id for line in lines if line.actor_id})
    ids = {line.api_key_id for line in lines if line.api_key_id}
    keys = dict(ApiKey.objects.filter(pk__in=ids).values_list("pk", "name")) if ids else {}
    return people, keys


def _shown(
    line: MoveLine, people: dict[UUID, str], keys: dict[UUID, str], documents: Mapping[Named, DocumentLink],
) -> dict[str, Any]:
    if line.api_key_id:
        who = f"API key {keys.get(line.api_key_id, 'that is gone')}"
    elif line.actor_id:
        who = people.get(line.actor_id, "Not a member here")
    else:
        who = "The system"
    document = documents.get((line.document_type, line.document_id), DocumentLink(line.document_type))
    return {"line": line, "who": who, "document": document}


def _sentences(since: Since) -> list[str]:
    if since.counted_at is None:
        counted = "It was not counted in the last 10,000 moves." if since.is_cut else "It has never been counted."
        span = "In the last 10,000 moves" if since.is_cut else "In all"
    else:
        who = people_named([since.counted_by]).get(since.counted_by, "") if since.counted_by else ""
        difference = f"{since.difference.normalize():+f}" if since.difference else "no difference"
        counted = f"Last counted on {since.counted_at:%Y-%m-%d}{f' by {who}' if who else ''}: {difference}."
        span = "Since then"
    many = f"{since.moves} move{'' if since.moves == 1 else 's'}"
    moves = f"{span} {many}: {since.came.normalize():f} came, {since.went.normalize():f} went."
    odd = [
        f"{number} {name}" for number, name in (
            (since.late, "posted more than an hour late"), (since.reversals, "reversing another"),
            (since.by_programs, "by programs"),
        ) if number
    ]
    return [counted, moves, f"Unusual among them: {', '.join(odd)}." if odd else "None of them is unusual."]
