"""How texts become the words by which they are found: the same in the database, which keeps them, and in Python, which asks.

Nothing here depends on the collation of the database, but for the case of letters outside ASCII.
"""

import re
import unicodedata

LONGEST = 64  # characters of a word
MOST_WORDS = 12  # of a search

# Letters that stand for themselves, not for another with an accent, with what one types for them.
SPELLED = {"ß": "ss", "ẞ": "ss", "æ": "ae", "Æ": "ae", "œ": "oe", "Œ": "oe", "þ": "th", "Þ": "th"}
LIKE = {
    "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "ħ": "h", "Ħ": "h", "\u0131": "i",
    "\u03c2": "\u03c3",
}  # fmt: skip

# What stands between words, as a class of both regular expression languages: punctuation and blanks of all scripts.
BETWEEN = (
    r"\u0001-\u002f\u003a-\u0040\u005b-\u0060\u007b-\u00bf\u00d7\u00f7\u02b0-\u02ff\u2000-\u218f\u2190-\u2bff\u2e00-\u2e7f"
    r"\u3000-\u303f\ufe00-\ufe0f\ufe30-\ufe4f\ufff0-\uffff"
)
MARKS = r"\u0300-\u036f"

_BETWEEN, _MARKS = re.compile(f"[{BETWEEN}\\s]+"), re.compile(f"[{MARKS}]")
_SPELLED, _LIKE = str.maketrans(SPELLED), str.maketrans(LIKE)


def folded(text: str) -> str:
    """Without accents and capitals."""
    plain = _MARKS.sub("", unicodedata.normalize("NFKD", text.translate(_SPELLED)))
    return plain.lower().translate(_LIKE)


def words(text: str) -> list[str]:
    """Each once, in their order."""
    found = [word[:LONGEST] for word in _BETWEEN.split(folded(text)) if word]
    return list(dict.fromkeys(found))


def compact(text: str) -> str:
    """As a code is kept: BR-1001 and br 1001 are the same."""
    return _BETWEEN.sub("", folded(text))[:LONGEST]
