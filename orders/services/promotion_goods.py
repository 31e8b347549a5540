"""What a promotion is for."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from core.errors import Invalid
from inventory.models import Category, ProductVariant
from orders.models import Promotion, PromotionGoods

MOST_GOODS = 500


@dataclass(frozen=True, slots=True)
class Goods:
    """A variant, or a category with all below it."""

    variant_id: UUID | None = None
    category_id: UUID | None = None


def promotion_goods_write(*, promotion: Promotion, goods: Sequence[Goods]) -> None:
    """In the place of those before; none: it is for all goods. Raises Invalid for what is not there, or comes twice."""
    if len(goods) > MOST_GOODS:
        raise Invalid(f"At most {MOST_GOODS} goods: name categories.", fields={"goods": "too many"})
    wrong: dict[str, str] = {}
    variants = ProductVariant.objects.in_bulk([one.variant_id for one in goods if one.variant_id])
    categories = Category.objects.in_bulk([one.category_id for one in goods if one.category_id])
    for number, one in enumerate(goods):
        if one.variant_id and one.variant_id not in variants:
            wrong[f"goods/{number}/variant"] = "There is no such variant in this organization."
        if one.category_id and one.category_id not in categories:
            wrong[f"goods/{number}/category"] = "There is no such category in this organization."
        if one in goods[:number]:
            wrong[f"goods/{number}"] = "This comes twice."
    if wrong:
        raise Invalid(next(iter(wrong.values())), code="does_not_exist", fields=wrong)
    before = {Goods(row.variant_id, row.category_id): row.pk for row in promotion.goods.all()}
    if gone := [key for one, key in before.items() if one not in goods]:
        promotion.goods.filter(pk__in=gone).delete()
    PromotionGoods.objects.bulk_create([
        PromotionGoods(promotion=promotion, variant_id=one.variant_id, category_id=one.category_id)
        for one in goods if one not in before
    ])
