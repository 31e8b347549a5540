"""How a customer gets the money of a return."""

from core.errors import Invalid
from orders.models import ReturnAuthorization


def return_settle(*, authorization: ReturnAuthorization, reference: str) -> str:
    """By which reference the refund of `refund_amount` is found. Somebody has paid it by hand, and says so."""
    if not (found := reference.strip()):
        raise Invalid(
            f"Say by which reference the refund of {authorization.refund_amount.normalize():f} {authorization.order.currency} is"
            " found at the bank.", fields={"reference": "required"},
        )
    return found
