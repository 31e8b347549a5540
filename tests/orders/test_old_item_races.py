"""Items change while their places are made of them."""

from collections.abc import Callable
from pathlib import Path

from accounts.models import Party
from inventory.models import Category, CategoryItem, CategoryItemChange, Product
from inventory.services.category_items import category_items_follow, category_items_follow_everywhere
from tests.companies import Company
from tests.factories.inventory import ProductVariantFactory
from tests.inventory.test_races import at_once
from tests.orders.test_import_shop import load
from tests.orders.test_old_items import ITEMS, agree, value, variant


def test_changes_while_places_are_made_are_not_lost(new_company: Callable[[], Company], tmp_path: Path) -> None:
    company, other = new_company(), new_company()
    assert load(company, tmp_path, ITEMS, [])[0] == 0
    company.api.get("/items", {"category": "phone"})
    with other.scope():
        ProductVariantFactory()
    with company.scope():
        makers = list(Party.objects.filter(name__in=("Fona", "Zeta")))
        categories = list(Category.objects.filter(name__in=("phone", "computer")))

    def work(number: int) -> int:
        done = 0
        for turn in range(15):
            with company.scope():
                if number < 2:
                    done += category_items_follow()
                elif number == 2:
                    Product.objects.filter(variants__sku=f"i{1 + turn % 6}").update(category=categories[turn % 2])
                    Party.objects.filter(pk=makers[0].pk).update(name=f"Fona {turn}")
                else:
                    value(f"i{1 + turn % 6}").update(value_text=f"type {turn}")
                    ProductVariantFactory(product=variant(f"i{1 + turn % 6}").product)
        return done

    answers = at_once(4, work)
    assert all(isinstance(answer, int) for answer in answers), answers
    category_items_follow_everywhere()
    for one, count in ((company, 7 + 15), (other, 0)):
        with one.scope():
            assert CategoryItem.objects.count() == count and not CategoryItemChange.objects.exists()
            agree()
