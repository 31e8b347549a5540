"""Mail about somebody's account. Sent after the commit; one that fails is logged, and each can be asked for again."""

import logging
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse

logger = logging.getLogger(__name__)

# Where a link leads: the page of the front end, or our own.
PAGES = {"verify-email": "account-verify", "reset-password": "account-reset", "accept-invitation": "account-invitation"}


def link(page: str, key: str) -> str:
    if settings.FRONTEND_URL:
        return f"{settings.FRONTEND_URL.rstrip('/')}/{page}?key={key}"
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse(PAGES[page], args=[key])}"


def mail_send(*, to: str, template: str, **context: Any) -> None:
    """`mail/<template>.txt` holds the subject, an empty line and the text."""
    subject, _, text = render_to_string(f"mail/{template}.txt", context).partition("\n\n")
    message = EmailMultiAlternatives(" ".join(subject.split()), text.strip() + "\n", to=[to])
    message.attach_alternative(render_to_string("mail/frame.html", {"text": text.strip()}), "text/html")
    transaction.on_commit(lambda: _send(message, template))


def _send(message: EmailMultiAlternatives, template: str) -> None:
    """The change that it tells of is made already: a mail server that is down must not turn it into an error."""
    try:
        message.send()
    except OSError:  # what smtplib raises is one
        logger.exception("The mail %s was not sent", template)
