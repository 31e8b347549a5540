"""Check digits, and the one form in which GTINs of every length are the same number."""

from collections.abc import Mapping
from types import MappingProxyType

# How many digits a code of each kind has; the last is its check digit.
LENGTHS: Mapping[str, int] = MappingProxyType({"ean8": 8, "upca": 12, "ean13": 13, "gtin14": 14, "itf14": 14})
GTIN_LENGTHS = frozenset(LENGTHS.values())
GTIN, SSCC = 14, 18  # digits


def is_digits(text: str) -> bool:
    """Of ASCII: Python's isdigit takes superscripts too."""
    return text.isascii() and text.isdigit()


def check_digit(body: str) -> str:
    """GS1's modulo 10 of digits without their check digit: weights 3 and 1, from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def completed(body: str) -> str:
    return body + check_digit(body)


def is_checked(number: str) -> bool:
    return len(number) > 1 and is_digits(number) and check_digit(number[:-1]) == number[-1]


def is_gtin(number: str) -> bool:
    """Zeros alone fit their check digit, and are what a form or a label holds that nobody has filled in."""
    return len(number) in GTIN_LENGTHS and is_checked(number) and not is_zero(number)


def is_zero(number: str) -> bool:
    return not number.strip("0")


def as_gtin14(number: str) -> str:
    """5601234567892 and 05601234567892 are the same code."""
    return number.zfill(GTIN)


def shortest_gtin(gtin: str) -> str:
    """As it is printed under a barcode: 13 digits of a GTIN-14 that begins with 0; UPC-A keeps its twelve."""
    number = gtin.zfill(GTIN)
    if number.startswith("000000"):
        return number[6:]
    if number.startswith("00"):
        return number[2:]
    return number[1:] if number.startswith("0") else number


def upce_to_upca(code: str) -> str | None:
    """The twelve digits that a UPC-E of eight stands for; None if it is none."""
    if not (len(code) == 8 and is_digits(code) and code[0] in "01"):
        return None
    system, body, last, check = code[0], code[1:6], code[6], code[7]
    if last in "012":
        number = f"{system}{body[:2]}{last}0000{body[2:]}"
    elif last == "3":
        number = f"{system}{body[:3]}00000{body[3:]}"
    elif last == "4":
        number = f"{system}{body[:4]}00000{body[4]}"
    else:
        number = f"{system}{body}0000{last}"
    return number + check if check_digit(number) == check else None


def wrong_digit(number: str) -> str:
    """What is wrong with a number whose last digit does not fit, or which is zeros alone; empty if nothing is."""
    if is_zero(number):
        return "Zeros alone are no number."
    if is_checked(number):
        return ""
    return f"The check digit of {number} would be {check_digit(number[:-1])}, not {number[-1]}."
