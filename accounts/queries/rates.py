"""What one currency is in another, on some day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal, localcontext

from django.db import connection

from accounts.models import Organization
from core.errors import Invalid
from core.tenancy import active_organization_id

DIGITS = 60  # of what is computed before it is rounded
PLACES = 9  # of a rate that is shown
# ISO 4217 gives two decimal places to all currencies but these.
MINOR_UNITS = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF",
         "XOF", "XPF"), 0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3), **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip

# The latest of each pair, either way round, among the two currencies and the organization's own.
LATEST = """
    SELECT DISTINCT ON (base, quote) base, quote, rate, valid_on
    FROM accounts_exchangerate
    WHERE organization_id = %(organization)s AND base = ANY (%(codes)s) AND quote = ANY (%(codes)s)
        AND valid_on <= %(day)s AND valid_on >= %(oldest)s
    ORDER BY base, quote, valid_on DESC
"""

type Found = dict[tuple[str, str], tuple[Decimal, date]]


class NoRate(Invalid):
    code = "no_rate"


@dataclass(frozen=True, slots=True)
class Rate:
    """One unit of `base` is `numerator` / `denominator` units of `quote`; exact, where 1/3 has no decimals."""

    base: str
    quote: str
    numerator: Decimal
    denominator: Decimal
    valid_on: date  # the older of two, where it goes by the organization's own currency

    @property
    def value(self) -> Decimal:
        with localcontext(prec=DIGITS):
            return (self.numerator / self.denominator).quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_UP)

    def times(self, other: "Rate") -> "Rate":
        with localcontext(prec=DIGITS):
            numerator, denominator = self.numerator * other.numerator, self.denominator * other.denominator
        return Rate(self.base, other.quote, numerator, denominator, min(self.valid_on, other.valid_on))


def rate_on(base: str, quote: str, day: date, *, oldest: date = date.min) -> Rate:
    """The latest one from `oldest` to the day: of the pair, either way round, else by way of the base currency.

    Of the two ways round the later day counts, and the direct one of the same day. Raises NoRate.
    """
    if (rate := rates_on([base], quote, day, oldest=oldest).get(base)) is not None:
        return rate
    raise NoRate(f"There is no exchange rate from {base} to {quote} on {day} or before: add one.")


def rates_on(bases: Collection[str], quote: str, day: date, *, oldest: date = date.min) -> dict[str, Rate]:
    """The same for several currencies at once, by at most two statements; without those that have no rate."""
    rates = {base: Rate(base, quote, Decimal(1), Decimal(1), day) for base in bases if base == quote}
    if others := [base for base in bases if base != quote]:
        own = Organization.objects.values_list("base_currency", flat=True).get(pk=active_organization_id())
        found = _latest([*others, quote, own], day, oldest)
        rates |= {base: rate for base in others if (rate := _any_way(found, base, quote, own))}
    return rates


def convert(amount: Decimal, source: str, target: str, day: date) -> Decimal:
    """Rounded half away from zero to the target's minor unit. Raises NoRate."""
    rate = rate_on(source, target, day)
    with localcontext(prec=DIGITS):
        return (amount * rate.numerator / rate.denominator).quantize(minor_unit(target), ROUND_HALF_UP)


def minor_unit(currency: str) -> Decimal:
    """0.01 of most currencies."""
    return Decimal(1).scaleb(-MINOR_UNITS.get(currency, 2))


def _latest(codes: list[str], day: date, oldest: date) -> Found:
    with connection.cursor() as cursor:
        cursor.execute(LATEST, {"organization": active_organization_id(), "codes": codes, "day": day, "oldest": oldest})
        return {(base, quote): (rate, valid_on) for base, quote, rate, valid_on in cursor.fetchall()}


def _any_way(found: Found, base: str, quote: str, own: str) -> Rate | None:
    if (rate := _of_pair(found, base, quote)) is not None:
        return rate
    first, second = _of_pair(found, base, own), _of_pair(found, own, quote)
    return first.times(second) if first and second else None


def _of_pair(found: Found, base: str, quote: str) -> Rate | None:
    direct, inverse = found.get((base, quote)), found.get((quote, base))
    if direct and (not inverse or direct[1] >= inverse[1]):
        return Rate(base, quote, direct[0], Decimal(1), direct[1])
    return Rate(base, quote, Decimal(1), inverse[0], inverse[1]) if inverse else None
