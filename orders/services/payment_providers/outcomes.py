from dataclasses import dataclass

from orders.models import Payment

Status = Payment.Status


class Unreachable(Exception):
    """The provider did not answer, or not to the point: it is asked again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    status: str
    reference: str = ""
    code: str = ""
    detail: str = ""
    goes_on: bool = False  # this was a first step: the verb is to be called again once it is written down
