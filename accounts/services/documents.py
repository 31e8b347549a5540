from collections.abc import Mapping
from typing import NamedTuple

from django.db import connection
from django.utils import timezone

from accounts.models import NumberSequence
from core.errors import Invalid
from core.tenancy import active_organization_id

# One statement: the row lock makes two documents wait for each other, so that no number is given twice, and
# none is lost, because a rollback takes the increment back.
NEXT = """
    UPDATE accounts_numbersequence
    SET next_value = %(count)s + CASE WHEN reset = 'yearly' AND period NOT IN (0, %(year)s) THEN 1 ELSE next_value END,
        period = %(year)s
    WHERE organization_id = %(organization)s AND document_type = %(type)s
    RETURNING pattern, next_value - %(count)s, CASE WHEN reset = 'yearly' THEN period ELSE 0 END
"""


class Number(NamedTuple):
    """`counter` counts in its series, which is the year where numbers begin anew each year."""

    text: str
    counter: int
    series: int


def number_next(*, document_type: str, first: str = "") -> str:
    """The next number of a kind of document, such as SO-2026-000123, in the organization's sequence.

    `first` is the pattern of the sequence that is made with the first number. Without it, raises Invalid if the organization has
    no sequence.
    """
    return number_take(document_type=document_type, first=first).text


def numbers_next(*, document_type: str, count: int, first: str = "") -> list[str]:
    """The same for so many documents at once, in one statement."""
    return [taken.text for taken in _numbers(document_type, count, first)]


def number_take(*, document_type: str, first: str = "", gapless: bool = False) -> Number:
    """As `number_next`, with what it counts; `gapless` is what a sequence that is made here says of itself."""
    return _numbers(document_type, 1, first, gapless)[0]


def _numbers(document_type: str, count: int, first: str, gapless: bool = False) -> list[Number]:
    year = timezone.localdate().year
    with connection.cursor() as cursor:
        cursor.execute(NEXT, {
            "year": year, "organization": active_organization_id(), "type": document_type, "count": count,
        })
        row = cursor.fetchone()
    if row is None and first:
        _sequences_create({document_type: first}, gapless=gapless)
        return _numbers(document_type, count, "")
    if row is None:
        raise Invalid(f"There is no number sequence for {document_type}: add one.", code="no_sequence")
    pattern, begin, series = row
    return [Number(str(pattern.format(year=year, number=number)), number, series) for number in range(begin, begin + count)]


def sequences_create(**patterns: str) -> None:
    """document_type=pattern; existing ones stay as they are."""
    _sequences_create(patterns)


def _sequences_create(patterns: Mapping[str, str], *, gapless: bool = False) -> None:
    NumberSequence.objects.bulk_create(
        [NumberSequence(document_type=kind, pattern=pattern, gapless=gapless) for kind, pattern in patterns.items()],
        ignore_conflicts=True,
    )
