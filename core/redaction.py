"""Takes secrets out of text that others wrote, before it is kept."""

import re
from collections.abc import Iterable

HIDDEN = "[redacted]"

# Each is linear: what comes is up to 64 KB from anybody.
SECRETS = [
    # A header or an assignment whose name tells: Authorization: …, "api_key": "…", password=…
    (
        re.compile(
            r"""((?:proxy-)?authorization|(?:set-)?cookie|[\w-]{0,40}(?:secret|token|passw(?:or)?d|api[_-]?key|signature|credential)"""
            r"""[\w-]{0,40})(["']?\s{0,5}[:=]\s{0,5})("[^"\n]*"?|'[^'\n]*'?|[^\n,;&}<]+)""",
            re.IGNORECASE,
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"\b(bearer|basic|api-key)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"\bwhsec_[\w+/=-]{8,}"), HIDDEN),
    (re.compile(r"\bqms?_[\w.-]{8,}"), HIDDEN),  # our own keys
    (re.compile(r"\beyJ[\w-]{6,}\.[\w.-]{6,}"), HIDDEN),  # a JSON web token
    (re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"), HIDDEN),
    (re.compile(r"\b(?:sk|pk|rk|ghp|gho|xox[abp])[_-][\w-]{16,}"), HIDDEN),
    (re.compile(r"-----BEGIN [^\n]{0,60}PRIVATE KEY-----[^-]*(?:-----END [^\n]{0,60}-----)?"), HIDDEN),
    (re.compile(r"(://[^/\s:@]{0,200}:)[^/\s@]{1,200}@"), rf"\1{HIDDEN}@"),
]


def redacted(body: bytes, known: Iterable[str] = (), *, at_most: int) -> str:
    """The beginning of a text, without `known` secrets and what looks like one."""
    text = body[: 8 * at_most].decode(errors="replace").replace("\0", "")
    for secret in known:
        text = text.replace(secret, HIDDEN)
    return without_secrets(text)[:at_most]


def without_secrets(text: str) -> str:
    """Of a text that is not long, whatever looks like one is taken out."""
    for pattern, instead in SECRETS:
        text = pattern.sub(instead, text)
    return text
