"""Numbers of parcels and pallets, that no other company gives."""

from accounts.models import Organization
from accounts.services.documents import number_next, sequences_create
from core.errors import Invalid
from inventory.gs1.meaning import sscc

SEQUENCE = "logistic_unit"


def sscc_next() -> str:
    """The next SSCC of the organization. Raises Invalid where it has no GS1 company prefix, or no numbers are left."""
    prefix: str = Organization.objects.get().gs1_company_prefix
    if not prefix:
        detail = "Give the SSCC on the label, or set the company's GS1 prefix, with which numbers are made."
        raise Invalid(detail, code="no_gs1_prefix", fields={"sscc": detail})
    sequences_create(**{SEQUENCE: "{number}"})
    serial = number_next(document_type=SEQUENCE)
    try:
        return sscc(prefix, int(serial))
    except ValueError as error:
        detail = f"With the prefix {prefix} and the number {serial} no SSCC can be made: {error}"
        raise Invalid(detail, fields={"sscc": detail}) from error
