"""AWS as the deploy command asks it, and what it says where AWS does not answer."""

import os
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

# AWS waits for a migration as long as its function may run; and what has been asked is not asked twice.
PATIENT = Config(read_timeout=910, retries={"total_max_attempts": 1})
ABSENT = ("ResourceNotFoundException", "404", "NoSuchKey", "NoSuchBucket", "NotFoundException")


class Refused(Exception):
    """Nothing has been done. The message says what is missing and what to do."""


class Failed(Exception):
    """A step has failed. What it did stands; the same command goes on from there."""


class Aws:
    """An account in a region, by the credentials of the environment or of ~/.aws."""

    def __init__(self, region: str) -> None:
        self.region = region
        self._clients: dict[tuple[str, str, Config | None], Any] = {}

    def client(self, service: str, region: str = "", config: Config | None = None) -> Any:
        key = (service, region or self.region, config)
        if key not in self._clients:
            self._clients[key] = self._session.client(service, region_name=key[1], config=config)
        return self._clients[key]

    @cached_property
    def _session(self) -> boto3.Session:
        return boto3.Session(region_name=self.region)

    @cached_property
    def account(self) -> str:
        """Its number. Raises Refused without credentials that AWS takes."""
        how = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and try again"
        try:
            return str(self.client("sts").get_caller_identity()["Account"])
        except ClientError as error:
            raise Refused(f"AWS does not take these credentials ({reason(error)}): {how}.") from error
        except BotoCoreError as error:
            raise Refused(f"There are no AWS credentials, or AWS does not answer ({reason(error)}): {how}.") from error

    def environment(self) -> Mapping[str, str]:
        """For a process that asks AWS in the same region, whatever the operator's own default is."""
        return {**os.environ, "AWS_DEFAULT_REGION": self.region, "AWS_REGION": self.region}


def reason(error: Exception) -> str:
    if isinstance(error, ClientError):
        return str(error.response["Error"].get("Message") or error.response["Error"]["Code"])
    return str(error).partition("\n")[0]


def is_absent(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in ABSENT
