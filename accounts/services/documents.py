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
    RETURNING pattern, next_value - %(count)s
"""


def number_next(*, document_type: str, first: str = "") -> str:
    """The next number of a kind of document, such as SO-2026-000123, in the organization's sequence.

    `first` is the pattern of the sequence that is made with the first number. Without it, raises Invalid if the organization has
    no sequence.
    """
    return numbers_next(document_type=document_type, count=1, first=first)[0]


def numbers_next(*, document_type: str, count: int, first: str = "") -> list[str]:
    """The same for so many documents at once, in one statement."""
    year = timezone.localdate().year
    with connection.cursor() as cursor:
        cursor.execute(NEXT, {
            "year": year, "organization": active_organization_id(), "type": document_type, "count": count,
        })
        row = cursor.fetchone()
    if row is None and first:
        sequences_create(**{document_type: first})
        return numbers_next(document_type=document_type, count=count)
    if row is None:
        raise Invalid(f"There is no number sequence for {document_type}: add one.", code="no_sequence")
    return [str(row[0].format(year=year, number=row[1] + more)) for more in range(count)]


def sequences_create(**patterns: str) -> None:
    """document_type=pattern; existing ones stay as they are."""
    NumberSequence.objects.bulk_create(
        [NumberSequence(document_type=kind, pattern=pattern) for kind, pattern in patterns.items()], ignore_conflicts=True,
    )
