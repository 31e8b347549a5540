from decimal import Decimal

from django import template
from django.utils.formats import number_format

register = template.Library()


@register.filter
def plain_typed(number: Decimal) -> str:
    """As one would type it."""
    return f"{number.normalize():f}"


@register.filter
def plain(number: Decimal | None) -> str:
    """38 in the place of 38.000000."""
    return "" if number is None else number_format(f"{number.normalize():f}", force_grouping=True)
