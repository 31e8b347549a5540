"""Which documents are to bring an article that somebody begins to receive."""

from typing import Any
from uuid import UUID

from core.admin_pages import key_or_none, text_of
from core.limits import reach, within
from inventory.models import ExpectedReceipt
from inventory.queries.barcodes import SOURCES

MOST = 9  # a digit each
NONE = "none"  # what is sent for goods that come without a document


def coming(request: Any) -> list[ExpectedReceipt]:
    """Those that take goods now, or the one that was chosen; the earliest first, each once."""
    wanted = text_of(request.POST, "document")
    variant = key_or_none(request.POST, "chosen") or key_or_none(request.POST, "variant")
    found: dict[UUID, ExpectedReceipt] = {}
    for source in SOURCES:
        if source.receive and wanted != NONE and request.user.has_perm(source.receive):
            rows = ExpectedReceipt.objects.filter(
                within(ExpectedReceipt, reach(request.principal, source.receive)), variant=variant, quantity__gt=0,
                document_type=source.kind,
            ).select_related("warehouse").order_by("expected_on", "document_number")
            takes = source.takes([row.document_id for row in rows])
            for row in rows:
                if row.document_id in takes and wanted in ("", str(row.document_id)):
                    found.setdefault(row.document_id, row)
    return list(found.values())[:MOST]
