"""Where messages go, and what an address looks like there."""

import re

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import models

E164 = r"^\+[1-9][0-9]{6,14}$"
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class Channel(models.TextChoices):
    EMAIL = "email", "E-mail"
    SMS = "sms", "SMS"
    INBOX = "inbox", "Inbox"


OUTSIDE = (Channel.EMAIL, Channel.SMS)  # what leaves the house: by a sender, and to an address


def address_fault(channel: str, address: str) -> str:
    """Empty where there is none. The inbox is its member's, so that its address is but a label."""
    if channel == Channel.INBOX:
        return ""
    if channel == Channel.SMS:
        return "" if _NUMBER.fullmatch(address) else (
            "Give a number with its country: + and 7 to 15 digits without spaces, such as +351912345678."
        )
    try:
        validate_email(address)
    except ValidationError:
        return "Enter a valid email address."
    return ""
