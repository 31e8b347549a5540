"""X-Change-Reason: why somebody changes something, kept with the audit entry."""

from urllib.parse import unquote

from core.errors import Invalid

HEADER = "X-Change-Reason"
LONGEST = 500  # characters
ENCODED = "utf-8''"  # RFC 8187, for clients whose headers are ASCII, as a browser's are


def change_reason(header: str) -> str:
    """`header` as WSGI gives it, each byte a character. Raises Invalid rather than cut a sentence short."""
    reason = _decoded(header)
    if len(reason) > LONGEST:
        raise Invalid(f"{HEADER}: at most {LONGEST} characters, not {len(reason)}.", code="invalid_header")
    if not reason.isprintable():
        raise Invalid(f"{HEADER}: one line of text, without control characters.", code="invalid_header")
    return reason


def _decoded(header: str) -> str:
    if header.isascii() and not header.lower().startswith(ENCODED):
        return header
    try:
        if header.lower().startswith(ENCODED):
            return unquote(header[len(ENCODED):], errors="strict")
        return header.encode("latin-1").decode()
    except UnicodeError as error:
        words = f"{HEADER}: write it in UTF-8, or percent-encoded after {ENCODED.upper()}."
        raise Invalid(words, code="invalid_header") from error
