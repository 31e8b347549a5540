"""Whether a webhook comes from whom it says: how senders sign, a recipe for each that is known.

docs/guide/inbound-webhooks.md says for each where its sender describes it.
"""

import base64
import binascii
import hmac
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

MOST_SIGNATURES = 20  # in one header; a sender that rotates its secret sends two
PLACEHOLDER = re.compile(r"\{(\w+)\}")
PLACEHOLDERS = ("id", "timestamp", "method", "path", "body")
UNIX_TIME = re.compile(r"[0-9]{1,11}")
UNIX_MILLISECONDS = re.compile(r"[0-9]{13}")


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one kind of sender signs, and where its ids and types stand.

    `encoding` none: the header holds the secret itself. `layout` plain: the header is one signature; pairs:
    t=<time>,v1=<signature>, several v1 at will; list: v1,<signature> with spaces between them. `external_id` and
    `type` are header:<Name> or body:<path with dots>; without an id, it is the hash of the body.
    """

    signature_header: str = ""
    encoding: str = "hex"
    prefix: str = ""
    layout: str = "plain"
    timestamp_header: str = ""
    template: str = "{body}"
    external_id: str = ""
    type: str = ""

    @property
    def signs_the_time(self) -> bool:
        return "{timestamp}" in self.template

    @property
    def signs_the_id(self) -> bool:
        """A header that is not signed can be changed by who sends a recording again."""
        return self.external_id.startswith("body:") or "{id}" in self.template or not self.external_id


RECIPES: Mapping[str, Recipe] = {
    "standard_webhooks": Recipe(
        "webhook-signature", "base64", layout="list", timestamp_header="webhook-timestamp", template="{id}.{timestamp}.{body}",
        external_id="header:webhook-id", type="body:type",
    ),
    "stripe": Recipe("Stripe-Signature", layout="pairs", template="{timestamp}.{body}", external_id="body:id", type="body:type"),
    "github": Recipe(
        "X-Hub-Signature-256", prefix="sha256=", external_id="header:X-GitHub-Delivery", type="header:X-GitHub-Event",
    ),
    "shopify": Recipe(
        "X-Shopify-Hmac-Sha256", "base64", external_id="header:X-Shopify-Webhook-Id", type="header:X-Shopify-Topic",
    ),
    "easypost": Recipe("X-Hmac-Signature", prefix="hmac-sha256-hex=", external_id="body:id", type="body:description"),
    "shippo": Recipe("Shippo-Auth-Signature", layout="pairs", template="{timestamp}.{body}", type="body:event"),
    "aftership": Recipe("aftership-hmac-sha256", "base64", external_id="body:event_id", type="body:event"),
    "sendcloud": Recipe("Sendcloud-Signature", type="body:action"),
    "hmac": Recipe(),
    "token": Recipe(encoding="none"),
}  # fmt: skip
# What a source may say otherwise than its scheme's recipe, by the column that says it.
COLUMNS = {
    "signature_header": "signature_header", "signature_encoding": "encoding", "signature_prefix": "prefix",
    "timestamp_header": "timestamp_header", "signed_template": "template", "external_id_from": "external_id", "type_from": "type",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A request as it came, before anything of it is believed. `headers` knows no upper and lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def recipe_of(scheme: str, columns: Mapping[str, str]) -> Recipe:
    return replace(RECIPES[scheme], **{name: columns[column] for column, name in COLUMNS.items() if columns.get(column)})


def key_of(scheme: str, secret: str) -> bytes:
    """The bytes that sign. Raises ValueError for a secret that its sender would not use."""
    if scheme == "standard_webhooks":
        try:
            return base64.b64decode(_padded(secret.removeprefix("whsec_")), validate=True)
        except binascii.Error as error:
            raise ValueError("A secret of Standard Webhooks is whsec_ and Base64.") from error
    if scheme == "easypost":
        return unicodedata.normalize("NFKD", secret).encode()
    return secret.encode()


def fault_of(recipe: Recipe, message: Message, *, keys: Sequence[bytes], tolerance: int, now: float) -> str:
    """Empty for what is genuine and new; else what is wrong, which is for our eyes and not for the sender's."""
    given, moment = _given(recipe, message.headers)
    if not given:
        return "There is no signature."
    text = signed_text(recipe, message, moment)
    genuine = False
    for key in keys:
        expected = _expected(recipe, key, text)
        for signature in given[:MOST_SIGNATURES]:  # all of them: how long it takes says nothing
            genuine |= hmac.compare_digest(expected, signature.encode("utf-8", "replace"))
    if not genuine:
        return "The signature is wrong."
    if recipe.signs_the_time and not _is_near(moment, now, tolerance):
        return "The time is missing, or too far from ours."
    return ""


def signed_text(recipe: Recipe, message: Message, moment: str) -> bytes:
    parts = {
        "id": header_of(recipe.external_id, message.headers).encode("utf-8", "replace"),
        "timestamp": moment.encode("utf-8", "replace"), "method": message.method.encode(), "path": message.path.encode(),
        "body": message.body,
    }
    words = PLACEHOLDER.split(recipe.template)  # by turns text and the name of a part
    return b"".join(parts[word] if place % 2 else word.encode() for place, word in enumerate(words))


def header_of(place: str, headers: Mapping[str, str]) -> str:
    kind, _, name = place.partition(":")
    return headers.get(name, "") if kind == "header" else ""


def _given(recipe: Recipe, headers: Mapping[str, str]) -> tuple[list[str], str]:
    """The signatures, and the time that was signed with them."""
    text, moment = headers.get(recipe.signature_header, "").strip(), headers.get(recipe.timestamp_header, "").strip()
    if recipe.layout == "pairs":
        pairs = [part.strip().partition("=") for part in text.split(",")]
        moment = next((value for name, _, value in pairs if name == "t"), "")
        found = [value for name, _, value in pairs if name == "v1"]
    elif recipe.layout == "list":
        found = [part.removeprefix("v1,") for part in text.split(" ") if part.startswith("v1,")]
    else:
        found = [text.removeprefix(recipe.prefix)] if text.startswith(recipe.prefix) else []
    return [one.lower() if recipe.encoding == "hex" else one for one in found if one], moment


def _expected(recipe: Recipe, key: bytes, text: bytes) -> bytes:
    if recipe.encoding == "none":
        return key
    digest = hmac.new(key, text, sha256)
    return base64.b64encode(digest.digest()) if recipe.encoding == "base64" else digest.hexdigest().encode()


def _is_near(moment: str, now: float, tolerance: int) -> bool:
    if UNIX_TIME.fullmatch(moment):
        return abs(now - int(moment)) <= tolerance
    return bool(UNIX_MILLISECONDS.fullmatch(moment)) and abs(now - int(moment) / 1000) <= tolerance


def _padded(text: str) -> str:
    return text + "=" * (-len(text) % 4)
