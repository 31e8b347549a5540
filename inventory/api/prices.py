from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models.partners import country_code
from core.api import TenantViewSet
from core.currencies import currency_code
from core.permitting import demand
from core.serializers import ReferenceField, StrictSerializer, TenantSerializer
from inventory.api.quotes import QuotedSerializer, quoted
from inventory.models import PriceList, PriceListItem
from inventory.queries.price_changes import Change, Effect
from inventory.queries.prices import Question, Wanted, prices_of
from inventory.services.price_items import Price, prices_set
from inventory.services.prices import price_list_change, price_list_copy, price_list_preview

MOST_LINES = 1_000
CHANGE_ITEMS = "inventory.change_pricelistitem"


class PriceListSerializer(TenantSerializer):
    party_name = serializers.CharField(source="party.name", read_only=True, allow_null=True)

    class Meta:
        model = PriceList
        fields = [
            "id", "kind", "code", "name", "currency", "party", "party_name", "priority", "includes_tax", "valid_from", "valid_to",
            "is_active", "created_at", "updated_at", "version",
        ]


class PriceListItemSerializer(TenantSerializer):
    price_list_code = serializers.CharField(source="price_list.code", read_only=True)
    currency = serializers.CharField(source="price_list.currency", read_only=True)
    sku = serializers.CharField(source="variant.sku", read_only=True)

    class Meta:
        model = PriceListItem
        fields = [
            "id", "price_list", "price_list_code", "variant", "sku", "min_quantity", "price", "currency", "valid_from",
            "valid_to", "created_at", "updated_at", "version",
        ]


class PriceListItemViewSet(TenantViewSet):
    """The price of one base unit, from a quantity on, from a day to a day."""

    serializer_class = PriceListItemSerializer
    filters = ["price_list", "variant"]


class QuoteLineSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id")
    quantity = serializers.DecimalField(max_digits=19, decimal_places=6, required=False, help_text="In base units; else 1.")


class QuoteSerializer(StrictSerializer):
    kind = serializers.ChoiceField(PriceList.Kind.choices, required=False, help_text="Else sale.")
    party = ReferenceField(source="party_id", required=False, allow_null=True, help_text="The customer or supplier.")
    currency = serializers.CharField(
        max_length=3, validators=[currency_code], required=False, help_text="Else the organization's.",
    )
    day = serializers.DateField(required=False, help_text="Else today, at the organization.")
    country = serializers.CharField(
        max_length=2, validators=[country_code], required=False, help_text="Whose tax is due; else the party's default address.",
    )
    region = serializers.CharField(max_length=100, required=False, help_text="As in tax rates; given with its country.")
    explain = serializers.BooleanField(default=False, help_text="Also the prices that lost, and why.")
    lines: Any = serializers.ListSerializer(child=QuoteLineSerializer(), min_length=1, max_length=MOST_LINES)


def _percent() -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=8, decimal_places=4, default=Decimal(0), help_text="Up, or below zero down.")


def _ending() -> serializers.DecimalField:
    return serializers.DecimalField(
        max_digits=5, decimal_places=4, required=False, allow_null=True, help_text="0.95: to the nearest price that ends so.",
    )


class PriceChangeSerializer(StrictSerializer):
    percent = _percent()
    ending = _ending()
    preview = serializers.BooleanField(default=False, help_text="Say what it would do, and do nothing.")


class PriceListCopySerializer(PriceChangeSerializer):
    """What is left out is as in the source."""

    code = serializers.CharField(max_length=40)
    name = serializers.CharField(max_length=100)
    party = ReferenceField(source="party_id", required=False, allow_null=True)
    priority = serializers.IntegerField(min_value=-(2**31), max_value=2**31 - 1, required=False)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_to = serializers.DateField(required=False, allow_null=True)
    is_active = serializers.BooleanField(default=False)


class PriceToSetSerializer(StrictSerializer):
    variant = ReferenceField(source="variant_id", required=False)
    sku = serializers.CharField(max_length=64, required=False, help_text="In place of the variant's id.")
    price = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=Decimal(0))
    min_quantity = serializers.DecimalField(max_digits=19, decimal_places=6, min_value=Decimal(0), required=False)
    valid_from = serializers.DateField(required=False, allow_null=True)
    valid_to = serializers.DateField(required=False, allow_null=True)


class PricesToSetSerializer(StrictSerializer):
    prices: Any = serializers.ListSerializer(child=PriceToSetSerializer(), min_length=1, max_length=MOST_LINES)


class PricesSetSerializer(serializers.Serializer):
    created = serializers.IntegerField()
    changed = serializers.IntegerField()
    unchanged = serializers.IntegerField()


class PriceExampleSerializer(serializers.Serializer):
    sku = serializers.CharField()
    name = serializers.CharField()
    min_quantity = serializers.DecimalField(max_digits=19, decimal_places=6)
    price = serializers.DecimalField(max_digits=19, decimal_places=6)
    new_price = serializers.DecimalField(max_digits=19, decimal_places=6)


class PriceEffectSerializer(serializers.Serializer):
    done = serializers.BooleanField(help_text="false: a preview.")
    items = serializers.IntegerField(help_text="Prices that are not over.")
    changed = serializers.IntegerField()
    lowest = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True, help_text="The least change, in percent.")
    highest = serializers.DecimalField(max_digits=12, decimal_places=2, allow_null=True)
    examples = PriceExampleSerializer(many=True, help_text="Those that rounding moves most.")


class PriceListViewSet(TenantViewSet):
    """What we sell for, or what a supplier asks."""

    serializer_class = PriceListSerializer
    filters = ["kind", "party", "code"]
    search_keys = ["code_key", "name_key"]
    sort_fields = ["code"]

    @extend_schema(request=QuoteSerializer, responses=QuotedSerializer)
    @action(detail=False, methods=["post"], permission="inventory.view_pricelist", body_class=QuoteSerializer)
    def quote(self, request: Request) -> Response:
        """What a party pays for up to 1,000 lines, and why. Without a price a line's `problems` say what is missing."""
        body = self.body(request)
        lines, explain = [Wanted(**line) for line in body.pop("lines")], body.pop("explain")
        return Response(quoted(prices_of(Question(**body), lines, explain=explain), explain=explain))

    @extend_schema(request=PriceListCopySerializer, responses={200: PriceEffectSerializer, 201: PriceListSerializer})
    @action(detail=True, methods=["post"], permission="inventory.add_pricelist", body_class=PriceListCopySerializer)
    def copy(self, request: Request, pk: str) -> Response:
        """A new list with the prices of this one that are not over, changed by a percentage. It is inactive unless it is said."""
        demand(request, "inventory.add_pricelistitem")
        source, body = self.get_object(), self.body(request)
        change = _change(body)
        if body.pop("preview"):
            return _effect(price_list_preview(price_list_id=source.pk, change=change), done=False)
        made = price_list_copy(price_list_id=source.pk, change=change, **body)
        location = self.address_of(made.pk)
        return Response(self.read_row(made.pk), status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(request=PriceChangeSerializer, responses=PriceEffectSerializer)
    @action(detail=True, methods=["post"], url_path="change-prices", permission=CHANGE_ITEMS, body_class=PriceChangeSerializer)
    def change_prices(self, request: Request, pk: str) -> Response:
        """All prices of the list that are not over, by a percentage. With `preview` it says what that would do."""
        source, body = self.get_object(), self.body(request)
        change = _change(body)
        verb = price_list_preview if body["preview"] else price_list_change
        return _effect(verb(price_list_id=source.pk, change=change), done=not body["preview"])

    @extend_schema(request=PricesToSetSerializer, responses=PricesSetSerializer)
    @action(detail=True, methods=["post"], url_path="set-prices", permission=CHANGE_ITEMS, body_class=PricesToSetSerializer)
    def set_prices(self, request: Request, pk: str) -> Response:
        """Up to 1,000 prices as another system has them: adds and changes what differs; all of them or none."""
        demand(request, "inventory.add_pricelistitem")
        price_list, prices = self.get_object(), [Price(**one) for one in self.body(request)["prices"]]
        return Response(prices_set(price_list_id=price_list.pk, prices=prices)._asdict())


def _change(body: dict[str, Any]) -> Change:
    return Change(body.pop("percent"), body.pop("ending", None))


def _effect(effect: Effect, *, done: bool) -> Response:
    members: Mapping[str, Any] = {name: getattr(effect, name) for name in ("items", "changed", "lowest", "highest", "examples")}
    return Response({"done": done, **members})


routes = {"price-lists": PriceListViewSet, "price-list-items": PriceListItemViewSet}
