"""SMS by Amazon SNS."""

from functools import cache
from typing import Any

from django.conf import settings

from notifications.services.departures import Unsent

# What SNS says of a number that cannot be reached, or whose owner wants no messages.
PERMANENT = {"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid", "OptedOut", "ValidationError"}


def send_by_sns(*, number: str, text: str, region: str = "", key_id: str = "", secret_key: str = "") -> None:
    """In the name of the role that runs us, or by an access key. Raises Unsent."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # slow to import, and needed for SMS alone

    attributes = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    if settings.SMS_SENDER_ID and not key_id:
        attributes["AWS.SNS.SMS.SenderID"] = {"DataType": "String", "StringValue": settings.SMS_SENDER_ID}
    try:
        client = _client_of(region, key_id, secret_key) if key_id else _client()
        client.publish(PhoneNumber=number, Message=text, MessageAttributes=attributes)
    except ClientError as error:
        raise Unsent(str(error), is_permanent=error.response["Error"]["Code"] in PERMANENT) from error
    except BotoCoreError as error:
        raise Unsent(f"{type(error).__name__}: {error}", is_permanent=False) from error


@cache
def _client() -> Any:
    return _client_of(settings.SMS_REGION, "", "")


def _client_of(region: str, key_id: str, secret_key: str) -> Any:
    import boto3  # noqa: PLC0415  # slow to import, and needed for SMS alone
    from botocore.config import Config  # noqa: PLC0415  # as above

    # One attempt: a message that was sent and not answered would be paid twice. Jobs try again later.
    return boto3.client(
        "sns", endpoint_url=settings.SMS_ENDPOINT_URL or None, region_name=region or None,
        aws_access_key_id=key_id or None, aws_secret_access_key=secret_key or None,
        config=Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 1}),
    )
