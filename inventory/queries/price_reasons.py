"""Why a price is the one, and why others are not, in the words of a salesperson."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from accounts.queries.rates import Rate
from inventory.queries.offers import GENERAL, LAST_PRICE, OF_PARTY, Offer
from inventory.queries.taxes import Goods


class Problem(NamedTuple):
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Lost:
    offer: Offer
    code: str
    why: str


def no_price(currency: str, day: date) -> Problem:
    return Problem("no_price", f"No price list says what this costs on {day}, in {currency} or any other currency.")


def no_rate(currencies: Collection[str], currency: str, day: date) -> Problem:
    found = " or ".join(sorted(currencies))
    return Problem("no_rate", f"There is a price in {found}, but no exchange rate to {currency} on {day} or before: add one.")


def no_tax(goods: Goods, country: str, region: str, day: date) -> Problem:
    if goods.category is None:
        return Problem("no_tax_category", "The product has no tax category, and there is none with the code standard: add one.")
    if not country:
        return Problem("no_place", "Say the country: the party has no default address that would tell which tax is due.")
    place = f"{region}, {country}" if region else country
    return Problem("no_tax_rate", f"There is no tax rate of category {goods.category} for {place} on {day}: add one.")


def why(offer: Offer, rate: Rate | None, price: Decimal) -> str:
    source = {
        OF_PARTY: f"List {offer.code} ({offer.name}) of this party", GENERAL: f"List {offer.code} ({offer.name}), for everybody",
        LAST_PRICE: f"No list has it: what supplier {offer.code} asked last",
    }[offer.tier]
    parts = [f"{source}: {plain(offer.price)} {offer.currency}{' with tax' if offer.includes_tax else ''}"]
    if offer.min_quantity:
        parts.append(f"from {plain(offer.min_quantity)} on")
    if window := _window(offer.valid_from or offer.list_from, offer.valid_to or offer.list_to):
        parts.append(window)
    if rate is not None:
        parts.append(f"converted at {plain(rate.value)} of {rate.valid_on} to {plain(price)} {rate.quote}")
    return ", ".join(parts) + "."


def lost(offer: Offer, best: Offer | None, rates: Mapping[str, Rate], currency: str) -> Lost:
    if offer.fault is not None:
        return Lost(offer, offer.fault, _fault(offer))
    if offer.currency not in rates:
        return Lost(offer, "no_rate", f"There is no exchange rate from {offer.currency} to {currency}.")
    if best is None:  # an offer that counts and can be converted would have been the best
        raise AssertionError("an offer without a fault lost to none")
    return Lost(offer, *_beaten(offer, best, currency))


def _fault(offer: Offer) -> str:
    return {
        "list_inactive": "The list is not active.", "list_not_yet": f"The list begins on {offer.list_from}.",
        "list_over": f"The list ended on {offer.list_to}.", "item_not_yet": f"This price begins on {offer.valid_from}.",
        "item_over": f"This price ended on {offer.valid_to}.",
        "below_break": f"This price counts from {plain(offer.min_quantity)} on.",
    }[offer.fault or ""]


def _beaten(offer: Offer, best: Offer, currency: str) -> tuple[str, str]:
    """The first difference in the order in which offers decide."""
    if offer.tier != best.tier:
        before = "A list" if offer.tier == LAST_PRICE else "A list of the party"
        after = "what a supplier asked last" if offer.tier == LAST_PRICE else "one for everybody"
        return "tier", f"{before} comes before {after}."
    if offer.tier == LAST_PRICE:
        return "other_item", "Another item of the supplier is preferred, or older."
    if offer.priority != best.priority:
        return "priority", f"Its priority {offer.priority} is below {best.priority} of {best.code}."
    if offer.currency != best.currency and best.currency == currency:
        return "currency", f"A list in {currency} comes before one that is converted."
    if offer.price_list_id != best.price_list_id:
        if offer.list_from != best.list_from:
            return "older_list", f"List {best.code} began later."
        return "code", f"Of lists that are equal otherwise the first by code decides: {best.code}."
    if offer.min_quantity != best.min_quantity:
        return "smaller_break", f"The price from {plain(best.min_quantity)} on is closer to the quantity."
    return "older_price", "On the same list a price that began later counts."


def _window(start: date | None, end: date | None) -> str:
    parts = [f"from {start}" if start else "", f"until {end}" if end else ""]
    return f"valid {' '.join(filter(None, parts))}" if any(parts) else ""


def plain(number: Decimal) -> str:
    """12.5 for 12.500000."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
