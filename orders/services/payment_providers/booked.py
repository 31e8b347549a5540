from orders.models import Payment
from orders.services.payment_providers.outcomes import Outcome, Status

DONE = Outcome(Status.SUCCEEDED)


class Booked:
    """Money that people handle themselves: by hand, or cash on delivery. It is as they say."""

    def authorize(self, payment: Payment) -> Outcome:
        return DONE

    def capture(self, payment: Payment) -> Outcome:
        return DONE

    def refund(self, payment: Payment) -> Outcome:
        return DONE

    def void(self, payment: Payment) -> Outcome:
        return DONE
