"""The numbers of the organization on the admin's first page."""

from decimal import Decimal
from typing import Any

import orjson
from django.urls import NoReverseMatch, reverse
from django.utils.formats import number_format

from config.charts import CHART_OPTIONS, Card
from config.operations import dead_letters_card
from core.limits import reach
from inventory.queries.dashboard import Overview, overview

LOW = "is_low__exact=1&is_active__exact=1"


def context(request: Any) -> dict[str, Any]:
    """Empty for members who may not see the stock."""
    if not request.user.has_perm("inventory.view_stockitem"):
        return {}
    numbers = overview(warehouses=reach(request.principal, "inventory.view_stockitem"))
    return {
        "cards": [*_cards(numbers), *dead_letters_card(request)], "moves_per_day": numbers.moves_per_day,
        "moves_chart": _chart(numbers), "moves_chart_options": orjson.dumps(CHART_OPTIONS).decode(),
    }


def _cards(numbers: Overview) -> list[Card]:
    return [
        Card("Stock value", _money(numbers.stock_value), _costed(numbers), _value_page()),
        Card("SKUs", _count(numbers.skus), "variants in the catalog", _list("inventory_productvariant")),
        Card("Low", _count(numbers.low), "at or under their minimum", _list("inventory_reorderrule", LOW), numbers.low > 0),
        Card(
            "Out of stock", _count(numbers.out_of_stock), "variants without any", _list("inventory_productvariant", "stock=none"),
            numbers.out_of_stock > 0,
        ),
        Card("Reorder tasks", _count(numbers.open_reorder_tasks), "open", _list("inventory_reordertask", "status__exact=open")),
    ]


def _chart(numbers: Overview) -> str:
    """For unfold's chart component: JSON of Chart.js."""
    return orjson.dumps({
        "labels": [f"{day:%b} {day.day}" for day, _ in numbers.moves_per_day],
        "datasets": [{
            "label": "Moves", "data": [moves for _, moves in numbers.moves_per_day],
            "backgroundColor": "var(--color-primary-500)", "borderRadius": 3,
        }],
    }).decode()


def _costed(numbers: Overview) -> str:
    return f"{numbers.currency}, at cost ({numbers.costing_method.lower()})"


def _value_page() -> str:
    return reverse("admin:inventory_value")


def _list(name: str, chosen: str = "") -> str:
    """The rows that the number counts. Empty where the page is not registered."""
    try:
        return reverse(f"admin:{name}_changelist") + (chosen and f"?{chosen}")
    except NoReverseMatch:
        return ""


def _money(amount: Decimal) -> str:
    return number_format(amount, decimal_pos=2, use_l10n=True, force_grouping=True)


def _count(number: int) -> str:
    return number_format(number, use_l10n=True, force_grouping=True)
