"""The doorbell on AWS: a message names jobs or asks for the relay, and `notifications.aws` does it."""

import logging
from collections.abc import Sequence
from functools import cache
from itertools import batched
from typing import Any
from uuid import UUID

import orjson
from django.conf import settings

logger = logging.getLogger("notifications.doorbell")

JOBS_OF_A_MESSAGE, MESSAGES_OF_A_CALL = 10, 10


def jobs_ring(ids: Sequence[UUID], *, relay: bool = False) -> None:
    """Never raises: the minute's sweep finds what nobody was told about."""
    texts = batched(map(str, ids), JOBS_OF_A_MESSAGE, strict=False)
    messages = [orjson.dumps({"jobs": some}).decode() for some in texts] + (['{"relay":true}'] if relay else [])
    for call in batched(messages, MESSAGES_OF_A_CALL, strict=False):
        try:
            answer = _sqs().send_message_batch(
                QueueUrl=settings.JOBS_QUEUE_URL,
                Entries=[{"Id": str(place), "MessageBody": message} for place, message in enumerate(call)],
            )
        except Exception:  # of the network, of AWS, of the credentials: the job is there, whatever the reason
            logger.exception("The doorbell did not ring for %d messages", len(call))
        else:
            for failed in answer.get("Failed", ()):
                logger.error("The doorbell did not ring: %s %s", failed.get("Code"), failed.get("Message"))


@cache
def _sqs() -> Any:
    import boto3  # noqa: PLC0415
    from botocore.config import Config  # noqa: PLC0415

    patience = Config(connect_timeout=2, read_timeout=5, retries={"total_max_attempts": 2})
    return boto3.client("sqs", endpoint_url=settings.JOBS_QUEUE_ENDPOINT_URL or None, config=patience)
