"""GS1 Digital Links: the same elements as a web address. Compressed links are not read."""

from collections.abc import Sequence
from urllib.parse import quote, unquote, urlsplit

from inventory.gs1.digits import GTIN, GTIN_LENGTHS, is_digits
from inventory.gs1.elements import Element, Elements, checked
from inventory.gs1.errors import GS1Error
from inventory.gs1.identifiers import TABLE

DOMAIN = "https://id.gs1.org"
# What a link is about, and what may follow it in the path, in this order.
QUALIFIERS: dict[str, tuple[str, ...]] = {
    "01": ("22", "10", "21", "235"), "00": (), "8006": ("22", "10", "21"), "8013": (), "8010": ("8011",), "414": ("254",),
    "417": (), "8017": ("8019",), "8018": ("8019",), "253": (), "255": (), "401": (), "402": (), "8003": (), "8004": (),
}
# The words of the first edition of the standard, still printed.
WORDS = {
    "gtin": "01", "cpv": "22", "lot": "10", "ser": "21", "sscc": "00", "itip": "8006", "gln": "414", "glnx": "254",
    "party": "417", "gdti": "253", "gcn": "255", "ginc": "401", "gsin": "402", "grai": "8003", "giai": "8004", "gmn": "8013",
    "cpid": "8010", "cpsn": "8011", "gsrnp": "8017", "gsrn": "8018", "srin": "8019",
}  # fmt: skip


def is_link(text: str) -> bool:
    return text.strip()[:8].lower().startswith(("http://", "https://"))


def parse_link(text: str) -> Elements:
    """Whatever the domain, and with any path before the first identifier. Raises GS1Error."""
    link = text.strip()
    if not is_link(link):
        raise GS1Error("a GS1 Digital Link begins with https://.")
    try:
        address = urlsplit(link)
    except ValueError as error:
        raise GS1Error("this is no web address.") from error
    elements = _path(link, address.path)
    for pair in address.query.replace(";", "&").split("&"):
        name, _, value = pair.partition("=")
        if is_digits(name):  # others, such as linkType, say nothing about the goods
            elements.append(_element(link, name, value))
    try:
        return checked(elements)
    except GS1Error as error:
        raise GS1Error(error.problem, position=_position(link, error.ai), ai=error.ai) from error


def _path(link: str, path: str) -> list[Element]:
    steps = [step for step in path.split("/") if step]
    for start in range(len(steps) - 1):
        key = WORDS.get(steps[start], steps[start])
        if key in QUALIFIERS:
            return _along(link, key, steps[start:])
    raise GS1Error("no key, such as /01/ and a GTIN, is in this web address.", position=max(link.find(path), 0) + 1)


def _along(link: str, key: str, steps: Sequence[str]) -> list[Element]:
    if len(steps) % 2:
        raise GS1Error(f"a value is missing after {steps[-1]!r}.", position=link.rfind(steps[-1]) + 1 or len(link))
    elements: list[Element] = []
    allowed = list(QUALIFIERS[key])
    for number in range(0, len(steps), 2):
        name, ai = steps[number], WORDS.get(steps[number], steps[number])
        if number and ai not in allowed:
            where = f"may not stand here in the path after ({key})"
            raise GS1Error(f"({name}) {where}.", position=link.find(f"/{name}/") + 2, ai=ai if ai in TABLE else "")
        if number:
            del allowed[: allowed.index(ai) + 1]
        elements.append(_element(link, ai, steps[number + 1]))
    return elements


def _element(link: str, ai: str, value: str) -> Element:
    try:
        plain = unquote(value, errors="strict")
    except UnicodeDecodeError as error:
        raise GS1Error(f"({ai}) is not percent-encoded UTF-8.", position=link.find(value) + 1, ai=ai) from error
    if ai == "01" and len(plain) in GTIN_LENGTHS and is_digits(plain):
        plain = plain.zfill(GTIN)  # a link may hold a GTIN of any length
    return Element(ai, plain)


def _position(link: str, ai: str) -> int:
    word = next((word for word, number in WORDS.items() if number == ai and f"/{word}/" in link), ai)
    for mark in (f"/{word}/", f"?{ai}=", f"&{ai}=", f";{ai}="):
        if (at := link.find(mark)) >= 0:
            return at + len(mark) + 1
    return 1


def emit_link(elements: Sequence[tuple[str, str]], domain: str = DOMAIN) -> str:
    """The key and its qualifiers in the path, the rest in the query. Raises GS1Error where there is no key."""
    values = dict(checked(elements))
    key = next((ai for ai in QUALIFIERS if ai in values), "")
    if not key:
        raise GS1Error("a Digital Link needs a key, such as (01) a GTIN or (00) an SSCC.")
    path = [key, *(ai for ai in QUALIFIERS[key] if ai in values)]
    if "21" in path and "235" in path:
        path.remove("235")
    steps = "".join(f"/{ai}/{quote(values[ai], safe='')}" for ai in path)
    rest = "&".join(f"{ai}={quote(value, safe='')}" for ai, value in values.items() if ai not in path)
    return f"{domain.rstrip('/')}{steps}{'?' if rest else ''}{rest}"
