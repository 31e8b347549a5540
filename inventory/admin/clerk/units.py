"""A parcel or a pallet by its scanned SSCC: where it stands, what stands on it, and what is within."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpResponse

from core.limits import reach, within
from inventory.admin.clerk.pages import key_of, part, whole
from inventory.admin.unit_pages import MOST_SHOWN, MOVE, PACK_UNIT
from inventory.models import LogisticUnit
from inventory.queries.logistic_units import contents_of

LOOK = "inventory.view_logisticunit"
MOST_ROWS = 100


def unit_view(site: Any, request: Any) -> HttpResponse:
    context = _context(request, key_of(request.GET, "logistic_unit"))
    if "HX-Request" in request.headers:
        return part(request, "unit", **context)
    return whole(site, request, "unit_page", title="Logistic unit", subtitle=context["unit"].sscc, **context)


def unit(request: Any, key: UUID) -> HttpResponse:
    return part(request, "unit", **_context(request, key))


def _context(request: Any, key: UUID) -> dict[str, Any]:
    seen = LogisticUnit.objects.filter(within(LogisticUnit, reach(request.principal, LOOK)))
    found = seen.select_related("location__warehouse", "parent").filter(pk=key).first()
    if found is None:
        raise Http404
    carried = list(seen.filter(parent=found).order_by("sscc")[: MOST_ROWS + 1])
    contents = contents_of(found.pk, most=MOST_SHOWN + 1)
    return {
        "unit": found, "carried": carried[:MOST_ROWS], "more_carried": len(carried) > MOST_ROWS,
        "contents": contents[:MOST_SHOWN], "more": len(contents) > MOST_SHOWN,
        "may": {"pack": request.user.has_perm(PACK_UNIT), "move": request.user.has_perm(MOVE)},
    }
