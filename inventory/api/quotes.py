"""The answer of a quote."""

from typing import Any

from rest_framework import serializers

from inventory.queries.offers import OF_PARTY, Offer
from inventory.queries.prices import Amounts, Cost, Quote


def _amount() -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=60, decimal_places=6, allow_null=True)


class QuotedAmountsSerializer(serializers.Serializer):
    """What is not known is null."""

    net = _amount()
    tax = _amount()
    gross = _amount()


class OfferSerializer(serializers.Serializer):
    """The price of a list, or, of a purchase that no list names, what the supplier asked last."""

    price_list = serializers.UUIDField(allow_null=True)
    price_list_item = serializers.UUIDField(allow_null=True)
    supplier_product = serializers.UUIDField(allow_null=True)
    code = serializers.CharField(help_text="Of the list or the supplier.")
    name = serializers.CharField()
    is_of_party = serializers.BooleanField()
    priority = serializers.IntegerField()
    price = _amount()
    currency = serializers.CharField()
    includes_tax = serializers.BooleanField()
    min_quantity = _amount()
    valid_from = serializers.DateField(allow_null=True, help_text="The item's; null: as the list.")
    valid_to = serializers.DateField(allow_null=True)


class LostOfferSerializer(OfferSerializer):
    reason = serializers.CharField(help_text="Stable for programs.")
    why = serializers.CharField()


class QuoteExchangeSerializer(serializers.Serializer):
    base = serializers.CharField()
    quote = serializers.CharField()
    rate = serializers.CharField()
    valid_on = serializers.DateField()


class QuoteProblemSerializer(serializers.Serializer):
    code = serializers.ChoiceField(["no_price", "no_rate", "no_tax_category", "no_place", "no_tax_rate"])
    detail = serializers.CharField()


class QuotedLineSerializer(QuotedAmountsSerializer):
    variant = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = _amount()
    unit_price = serializers.DecimalField(max_digits=60, decimal_places=6, allow_null=True, help_text="In the quote's currency.")
    includes_tax = serializers.BooleanField(allow_null=True)
    tax_category = serializers.CharField(allow_null=True)
    tax_rate = serializers.DecimalField(max_digits=7, decimal_places=4, allow_null=True, help_text="In percent.")
    tax_region = serializers.CharField(help_text="Whose rate it is; empty: the country's.")
    why = serializers.CharField()
    decided_by = OfferSerializer(allow_null=True)
    converted = QuoteExchangeSerializer(allow_null=True)
    problems = QuoteProblemSerializer(many=True)
    lost = LostOfferSerializer(many=True, required=False, help_text="Where `explain` asks for it: the nearest 30.")


class QuotedSerializer(serializers.Serializer):
    kind = serializers.CharField()
    party = serializers.UUIDField(allow_null=True)
    currency = serializers.CharField()
    day = serializers.DateField()
    country = serializers.CharField(help_text="Empty: not known.")
    region = serializers.CharField()
    total = QuotedAmountsSerializer()
    lines: Any = QuotedLineSerializer(many=True)


def quoted(quote: Quote, *, explain: bool) -> dict[str, Any]:
    asked = quote.asked
    return {
        "kind": asked.kind, "party": asked.party_id, "currency": asked.currency, "day": quote.day, "country": asked.country,
        "region": asked.region, "total": _amounts(quote.total), "lines": [_cost(cost, explain) for cost in quote.costs],
    }


def _cost(cost: Cost, explain: bool) -> dict[str, Any]:
    rate = cost.rate
    return {
        "variant": cost.wanted.variant_id, "sku": cost.goods.sku, "name": cost.goods.name, "quantity": cost.wanted.quantity,
        "unit_price": cost.unit_price, "includes_tax": cost.offer and cost.offer.includes_tax, **_amounts(cost.amounts),
        "tax_category": cost.goods.category, "tax_rate": cost.goods.rate, "tax_region": cost.goods.region, "why": cost.why,
        "decided_by": cost.offer and _offer(cost.offer),
        "converted": rate and {"base": rate.base, "quote": rate.quote, "rate": f"{rate.value:f}", "valid_on": rate.valid_on},
        "problems": [problem._asdict() for problem in cost.problems],
        **({"lost": [{**_offer(one.offer), "reason": one.code, "why": one.why} for one in cost.lost]} if explain else {}),
    }


def _offer(offer: Offer) -> dict[str, Any]:
    return {
        "price_list": offer.price_list_id, "price_list_item": offer.item_id, "supplier_product": offer.supplier_product_id,
        "code": offer.code, "name": offer.name, "is_of_party": offer.tier == OF_PARTY, "priority": offer.priority,
        "price": offer.price, "currency": offer.currency, "includes_tax": offer.includes_tax, "min_quantity": offer.min_quantity,
        "valid_from": offer.valid_from, "valid_to": offer.valid_to,
    }


def _amounts(amounts: Amounts) -> dict[str, Any]:
    return {"net": amounts.net, "tax": amounts.tax, "gross": amounts.gross}
