"""Texts as the database can hold them."""

import re

UNSTORABLE = re.compile(r"[\x00\ud800-\udfff]")


def storable(text: str) -> str:
    """Without NUL and half surrogates, which no column takes."""
    return UNSTORABLE.sub("\ufffd", text)
