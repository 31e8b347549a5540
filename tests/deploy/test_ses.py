"""Mail by Amazon SES, played by moto."""

from collections.abc import Iterator
from email import message_from_string, policy
from smtplib import SMTPResponseException, SMTPServerDisconnected
from typing import Any

import boto3
import pytest
from django.core.mail import EmailMultiAlternatives, get_connection
from moto.core import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from core.mail_by_ses import _client
from notifications.services.departures import _is_permanent
from tests.moto_server import moto_server

ROLE = {"aws_access_key_id": "A", "aws_secret_access_key": "B"}


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with moto_server() as address:
        yield address


@pytest.fixture
def ses(address: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in ROLE.items():
        monkeypatch.setenv(name.upper(), value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    settings.SES_ENDPOINT_URL, settings.SES_REGION = address, "eu-west-1"
    settings.EMAIL_BACKEND = "core.mail_by_ses.SESBackend"
    _client.cache_clear()
    yield address
    _client.cache_clear()


def message(sender: str = "stock@example.com") -> EmailMultiAlternatives:
    made = EmailMultiAlternatives(
        "Ihre Bestellung ä", "Text", f"Stock <{sender}>", ["ada@example.com"], bcc=["all@example.com"],
        headers={"Message-ID": "<one@example.com>"},
    )
    made.attach("order.pdf", b"%PDF-1.7", "application/pdf")
    return made


def test_a_message_leaves_whole(ses: str) -> None:
    boto3.Session(region_name="eu-west-1", **ROLE).client("sesv2", endpoint_url=ses).create_email_identity(
        EmailIdentity="stock@example.com",
    )
    assert message().send() == 1
    [sent] = ses_backends[DEFAULT_ACCOUNT_ID]["eu-west-1"].sent_messages
    read = message_from_string(sent.raw_data, policy=policy.default)
    assert (read["Subject"], read["Message-ID"], read["Bcc"]) == ("Ihre Bestellung ä", "<one@example.com>", None)
    assert [part.get_filename() for part in read.iter_attachments()] == ["order.pdf"]
    assert {"ada@example.com", "all@example.com"} <= set(sent.destinations)


def test_a_refusal_is_one_of_a_mail_server(ses: str, settings: Any) -> None:
    with pytest.raises(SMTPResponseException) as told:
        message("nobody-verified@example.com").send()
    assert _is_permanent(told.value)
    assert get_connection(fail_silently=True).send_messages([message("nobody-verified@example.com")]) == 0
    _client.cache_clear()
    settings.SES_ENDPOINT_URL = "http://127.0.0.1:1"
    with pytest.raises(SMTPServerDisconnected) as lost:
        message().send()
    assert not _is_permanent(lost.value)
