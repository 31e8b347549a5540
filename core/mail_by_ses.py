"""Mail by Amazon SES. Its refusals are raised as those of a mail server, so that callers need to know one way only."""

from collections.abc import Sequence
from functools import cache, partial
from smtplib import SMTPAuthenticationError, SMTPResponseException, SMTPServerDisconnected
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend

# Of the message or its receiver, and no better later; whatever else SES says may pass.
PERMANENT = {"MessageRejected", "BadRequestException", "NotFoundException"}
OURS = {"AccessDeniedException", "AccountSuspendedException", "MailFromDomainNotVerifiedException", "SendingPausedException"}


class SESBackend(BaseEmailBackend):
    """In the name of the role that runs us, or by an access key."""

    def __init__(
        self, fail_silently: bool = False, *, region: str = "", key_id: str = "", secret_key: str = "", **_: Any,
    ) -> None:
        super().__init__(fail_silently=fail_silently)
        self.client = partial(_client_of, region, key_id, secret_key) if key_id else _client

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Raises what smtplib raises, unless fail_silently."""
        sent = 0
        for message in email_messages:
            if not message.recipients():
                continue
            try:
                self._send(message)
                sent += 1
            except (SMTPResponseException, SMTPServerDisconnected):
                if not self.fail_silently:
                    raise
        return sent

    def _send(self, message: EmailMessage) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # slow to import, and needed for mail alone

        to = {"ToAddresses": message.to, "CcAddresses": message.cc, "BccAddresses": message.bcc}
        try:
            text = message.message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]  # Django's own messages take it
            self.client().send_email(FromEmailAddress=message.from_email, Destination=to, Content={"Raw": {"Data": text}})
        except ClientError as error:
            said = error.response["Error"]
            why = f"{said.get('Code')}: {said.get('Message')}"
            if said.get("Code") in OURS:
                raise SMTPAuthenticationError(535, why) from error
            raise SMTPResponseException(554 if said.get("Code") in PERMANENT else 451, why) from error
        except BotoCoreError as error:
            raise SMTPServerDisconnected(f"{type(error).__name__}: {error}") from error


@cache
def _client() -> Any:
    return _client_of(settings.SES_REGION, "", "")


def _client_of(region: str, key_id: str, secret_key: str) -> Any:
    import boto3  # noqa: PLC0415  # slow to import, and needed for mail alone
    from botocore.config import Config  # noqa: PLC0415  # as above

    # One attempt: a message that was taken and not answered would come twice. Jobs try again later.
    return boto3.client(
        "sesv2", endpoint_url=settings.SES_ENDPOINT_URL or None, region_name=region or None,
        aws_access_key_id=key_id or None, aws_secret_access_key=secret_key or None,
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1}),
    )
