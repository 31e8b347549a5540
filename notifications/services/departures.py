"""How one message leaves: what is written around it, and who takes it."""

from collections.abc import Mapping
from smtplib import SMTPAuthenticationError, SMTPException, SMTPRecipientsRefused, SMTPResponseException
from types import MappingProxyType
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.models import Organization
from core.sealing import BrokenSeal
from core.tenancy import active_organization_id
from notifications.channels import Channel
from notifications.models import ChannelConfig, Notification, NotificationDelivery, TopicSubscription
from notifications.services.links import CODE_MINUTES, CONFIRM_DAYS, code_make, confirm_link, leave_link
from notifications.services.sending import mail_connection, sms_options

LONGEST_SMS = 300  # letters: each 153 cost as much as a message
MY_NOTIFICATIONS = "/admin/my-notifications/"
BY_SNS = "notifications.sms.send_by_sns"
NO_SMS = "This installation sends no SMS: whoever runs it sets SMS=sns."


class Unsent(Exception):
    """Whoever was to take the message did not. `is_permanent`: nor would they later."""

    def __init__(self, reason: str, *, is_permanent: bool) -> None:
        super().__init__(reason)
        self.is_permanent = is_permanent


def delivery_depart(
    delivery: NotificationDelivery, subscription: TopicSubscription | None, sender: ChannelConfig | None,
) -> None:
    """By the organization's sender, or the installation's. A digest has no subscription. Raises Unsent."""
    if delivery.channel == Channel.SMS:
        sms_send(number=delivery.address, text=_text(delivery, subscription), sender=sender)
        return
    if delivery.channel == Channel.INBOX and subscription:
        _into_inbox(delivery, subscription)
        return
    body, headers = delivery.body, dict[str, str]()
    if subscription is None:
        body = f"{body.rstrip()}\n\n-- \nHow often these come: {settings.PUBLIC_URL.rstrip('/')}{MY_NOTIFICATIONS}\n"
    elif delivery.kind == NotificationDelivery.Kind.CONFIRMATION:
        body += _question(confirm_link(subscription))
    elif not subscription.topic.is_mandatory:
        leave = leave_link(subscription)
        headers |= {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
        body = f"{body.rstrip()}\n\n-- \nNo more messages of {subscription.topic.name}: {leave}\n"
    mail_send(name=str(delivery.pk), to=delivery.address, subject=delivery.subject, body=body, headers=headers, sender=sender)


def _into_inbox(delivery: NotificationDelivery, subscription: TopicSubscription) -> None:
    """Of a message that was written for one subscriber; `notify` has put there itself what it tells all."""
    Notification.objects.update_or_create(
        recipient_id=subscription.membership_id, dedupe_key=delivery.dedupe_key, archived_at=None,
        defaults={
            "title": delivery.subject, "body": delivery.body, "category": subscription.topic.category, "told_at": timezone.now(),
            "read_at": None, "snoozed_until": None,
        },
    )  # fmt: skip


def mail_send(
    *, name: str, to: str, subject: str, body: str, sender: ChannelConfig | None,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """`name` makes the Message-ID. Raises Unsent."""
    source = sender.from_address if sender else settings.DEFAULT_FROM_EMAIL
    named = {"Message-ID": f"<{name}@{source.rpartition('@')[2].rstrip('>')}>", **headers}
    try:
        EmailMessage(
            subject, body, from_email=source, to=[to], headers=named, connection=mail_connection(sender) if sender else None,
        ).send()
    except (SMTPException, OSError) as error:
        raise Unsent(f"{type(error).__name__}: {error}", is_permanent=_is_permanent(error)) from error
    except BrokenSeal as error:
        raise Unsent("The sender's secret cannot be read any more: write it again.", is_permanent=False) from error


def sms_send(*, number: str, text: str, sender: ChannelConfig | None) -> None:
    """Raises Unsent."""
    if sender and sender.provider == ChannelConfig.Provider.CONSOLE:
        print(f"SMS to {number}:\n{text}")  # noqa: T201  # what this sender is for
        return
    if not (sender or settings.SMS_SENDER):
        raise Unsent(NO_SMS, is_permanent=True)
    send: Any = import_string(BY_SNS if sender else settings.SMS_SENDER)
    try:
        send(number=number, text=text, **(sms_options(sender) if sender else {}))
    except BrokenSeal as error:
        raise Unsent("The sender's secret cannot be read any more: write it again.", is_permanent=False) from error


def _question(link: str) -> str:
    return (
        f"\n\nOpen this link to get them:\n\n{link}\n\n"
        f"The link works for {CONFIRM_DAYS} days. If you do not know why you get this, do nothing.\n"
    )


def _text(delivery: NotificationDelivery, subscription: TopicSubscription | None) -> str:
    if subscription and delivery.kind == NotificationDelivery.Kind.CONFIRMATION:
        code = code_make(subscription)
        text = f"{code} is your code for {about(subscription)}. It counts for {CODE_MINUTES} minutes. Not yours? Do nothing."
    else:
        text = f"{delivery.subject}\n{delivery.body}".strip()
    return f"{text[: LONGEST_SMS - 3].rstrip()}..." if len(text) > LONGEST_SMS else text


def about(subscription: TopicSubscription) -> str:
    organization = Organization.objects.get(pk=active_organization_id()).name
    return f"{subscription.topic.name} of {organization}"


def _is_permanent(error: Exception) -> bool:
    """The mail server's 5xx, except for our own credentials: those can be put right."""
    if isinstance(error, SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, SMTPResponseException) and not isinstance(error, SMTPAuthenticationError) and error.smtp_code >= 500
