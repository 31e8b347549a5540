"""What the product mails, read as its recipient reads it."""

import re
from email.message import EmailMessage
from typing import Any

from django.core import mail


def mails_to(address: str) -> list[Any]:
    return [message for message in mail.outbox if message.to == [address]]


def last_mail(address: str) -> Any:
    found = mails_to(address)
    assert found, f"nothing was mailed to {address}"
    return found[-1]


def link_in(message: Any) -> str:
    [link] = re.findall(r"https?://\S+", message.body if not isinstance(message, EmailMessage) else message.get_content())
    return str(link)


def key_in(message: Any) -> str:
    return link_in(message).rstrip("/").rpartition("/")[2]
