"""How one message leaves: what is written around it, and who takes it."""

from smtplib import SMTPAuthenticationError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils.module_loading import import_string

from accounts.models import Organization
from core.tenancy import active_organization_id
from notifications.channels import Channel
from notifications.models import NotificationDelivery, TopicSubscription
from notifications.services.links import CODE_MINUTES, CONFIRM_DAYS, code_make, confirm_link, leave_link

LONGEST_SMS = 300  # letters: each 153 cost as much as a message
NO_SMS = "This installation sends no SMS: whoever runs it sets SMS=sns."


class Unsent(Exception):
    """Whoever was to take the message did not. `is_permanent`: nor would they later."""

    def __init__(self, reason: str, *, is_permanent: bool) -> None:
        super().__init__(reason)
        self.is_permanent = is_permanent


def delivery_depart(delivery: NotificationDelivery, subscription: TopicSubscription) -> None:
    """Raises Unsent."""
    if delivery.channel == Channel.SMS:
        _by_sms(delivery, subscription)
    else:
        _by_mail(delivery, subscription)


def _by_mail(delivery: NotificationDelivery, subscription: TopicSubscription) -> None:
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    headers = {"Message-ID": f"<{delivery.pk}@{domain}>"}
    body = delivery.body
    if delivery.kind == NotificationDelivery.Kind.CONFIRMATION:
        body += _question(confirm_link(subscription))
    elif not subscription.topic.is_mandatory:
        leave = leave_link(subscription)
        headers |= {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        body = f"{body.rstrip()}\n\n-- \nNo more messages of {subscription.topic.name}: {leave}\n"
    try:
        EmailMessage(delivery.subject, body, to=[delivery.address], headers=headers).send()
    except (SMTPException, OSError) as error:
        raise Unsent(f"{type(error).__name__}: {error}", is_permanent=_is_permanent(error)) from error


def _question(link: str) -> str:
    return (
        f"\n\nOpen this link to get them:\n\n{link}\n\n"
        f"The link works for {CONFIRM_DAYS} days. If you do not know why you get this, do nothing.\n"
    )


def _by_sms(delivery: NotificationDelivery, subscription: TopicSubscription) -> None:
    if not settings.SMS_SENDER:
        raise Unsent(NO_SMS, is_permanent=True)
    if delivery.kind == NotificationDelivery.Kind.CONFIRMATION:
        code = code_make(subscription)
        text = f"{code} is your code for {about(subscription)}. It counts for {CODE_MINUTES} minutes. Not yours? Do nothing."
    else:
        text = f"{delivery.subject}\n{delivery.body}".strip()
    if len(text) > LONGEST_SMS:
        text = f"{text[: LONGEST_SMS - 3].rstrip()}..."
    send: Any = import_string(settings.SMS_SENDER)
    send(number=delivery.address, text=text)


def about(subscription: TopicSubscription) -> str:
    organization = Organization.objects.get(pk=active_organization_id()).name
    return f"{subscription.topic.name} of {organization}"


def _is_permanent(error: Exception) -> bool:
    """The mail server's 5xx, except for our own credentials: those can be put right."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, SMTPResponseException) and not isinstance(error, SMTPAuthenticationError) and error.smtp_code >= 500
