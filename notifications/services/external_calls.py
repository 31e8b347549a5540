"""One request to a source, and what its answer says. Guarded as webhooks are: the same networks, no redirects, bounded."""

import os
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from django.conf import settings

from core.egress import Refused
from core.outbound import Answer, Failed, Outbound
from core.redaction import redacted
from core.sealing import BrokenSeal, seal, unseal
from notifications.adapters import Kind, Unreadable, adapters
from notifications.models import ExternalSource
from notifications.models.webhooks import policy
from notifications.webhooks import retry_after

AGENT = "Quartermaster/1"
LARGEST = 512 * 1024  # bytes of an answer
NOT_MODIFIED, GONE = 304, (404, 410)
TOO_MANY, UNAVAILABLE = 429, 503
NOT_THE_QUESTION = (401, 403, 407, 408, 425, TOO_MANY)  # about who asks, or when
CHARSET = re.compile(r"charset=\"?([\w-]+)", re.IGNORECASE)
MAX_AGE = re.compile(r"\bmax-age=(\d{1,9})\b", re.IGNORECASE)
NOT_KEPT = re.compile(r"\bno-(?:store|cache)\b", re.IGNORECASE)


class NoAnswer(Exception):
    """The text says to a person why; `retry_after` is what the source asked for, in seconds.

    `is_refusal`: the source is well, and does not take the question.
    """

    def __init__(self, text: str, *, retry_after: float | None = None, is_refusal: bool = False) -> None:
        super().__init__(text)
        self.retry_after, self.is_refusal = retry_after, is_refusal


class Revision(NamedTuple):
    """By which a source recognizes what it gave."""

    etag: str = ""
    last_modified: str = ""

    def asked_with(self) -> dict[str, str]:
        named = {"if-none-match": self.etag, "if-modified-since": self.last_modified}
        return {name: value for name, value in named.items() if value}


NO_REVISION = Revision()


@dataclass(frozen=True, slots=True)
class Reply:
    """`max_age` is what the source says, in seconds. Unchanged, what was kept holds on."""

    found: bool = True
    payload: Any = None
    revision: Revision = NO_REVISION
    max_age: int | None = None
    is_unchanged: bool = False


def credential_seal(*, source_id: UUID, credential: str) -> bytes:
    return seal(credential.encode(), purpose=_purpose(source_id))


def source_call(*, source: ExternalSource, kind: Kind, subject: str, revision: Revision) -> Reply:
    """Holds nothing of the database. Raises NoAnswer."""
    adapter = adapters()[source.adapter]
    headers, secrets = {"accept": adapter.accept, "user-agent": AGENT, **revision.asked_with()}, []
    if source.credential:
        secrets = [_credential(source)]
        headers[source.credential_header.lower()] = secrets[0]
    try:
        answer = outbound().get(
            kind.address(source.base_url, subject), headers=headers, within=source.timeout, at_most=LARGEST,
        )
    except (Failed, Refused) as failed:
        raise NoAnswer(str(failed)) from failed
    if answer.status == NOT_MODIFIED and any(revision):
        return Reply(revision=revision, max_age=_max_age(answer), is_unchanged=True)
    if answer.status in GONE:
        return Reply(found=False, max_age=_max_age(answer))
    _refuse(answer, secrets)
    charset = CHARSET.search(answer.headers.get("content-type", ""))
    try:
        payload = adapter.read(answer.body, charset[1].lower() if charset else "")
    except Unreadable as error:
        raise NoAnswer(f"What it answered cannot be read. {error}") from error
    return Reply(payload=payload, revision=_revision(answer), max_age=_max_age(answer))


def _refuse(answer: Answer, secrets: list[str]) -> None:
    if 300 <= answer.status < 400:
        raise NoAnswer(f"It redirects ({answer.status}), which is not followed: enter the address that it leads to.")
    if not 200 <= answer.status < 300:
        wait = retry_after(answer.headers.get("retry-after", "")) if answer.status in (TOO_MANY, UNAVAILABLE) else None
        said = redacted(answer.body, secrets, at_most=200).strip()
        is_refusal = 400 <= answer.status < 500 and answer.status not in NOT_THE_QUESTION
        raise NoAnswer(f"It answered {answer.status}{f': {said}' if said else '.'}", retry_after=wait, is_refusal=is_refusal)
    if not answer.is_whole:
        too_large = len(answer.body) >= LARGEST
        raise NoAnswer(f"Its answer has more than {LARGEST:,} bytes." if too_large else "Its answer broke off.")


def _revision(answer: Answer) -> Revision:
    said = [(answer.headers.get(name, ""), longest) for name, longest in (("etag", 300), ("last-modified", 100))]
    return Revision(*(text if len(text) <= longest and text.isascii() else "" for text, longest in said))


def _max_age(answer: Answer) -> int | None:
    said = answer.headers.get("cache-control", "")
    if NOT_KEPT.search(said):
        return 0
    found = MAX_AGE.search(said)
    return int(found[1]) if found else None


def _credential(source: ExternalSource) -> str:
    try:
        return unseal(bytes(source.credential or b""), purpose=_purpose(source.pk)).decode()
    except BrokenSeal as error:
        raise NoAnswer("The credential cannot be opened: SECRET_KEY has changed. Give it again.") from error


def _purpose(source_id: UUID) -> str:
    return f"external source {source_id}"


@cache
def outbound() -> Outbound:
    return Outbound(policy, ca_file=settings.WEBHOOK_CA_FILE)


os.register_at_fork(after_in_child=outbound.cache_clear)  # a connection is of one process
