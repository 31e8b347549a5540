"""Real processes write values of one product's variants."""

from collections import Counter
from collections.abc import Callable

from core.invariants import broken
from tests.companies import Company
from tests.inventory.test_races import at_once
from tests.inventory.wares import VALUES, Wares


def test_of_many_who_take_the_same_axes_one_does(new_company: Callable[[], Company]) -> None:
    wares = Wares.create(new_company(), variants=4)
    answers = at_once(4, lambda number: wares.set(wares.variants[number], color="red", storage="128 GB").status_code)
    assert Counter(answers) == {200: 1, 400: 3}
    with wares.company.scope():
        assert [rows for _, rows in broken() if rows] == []


def test_two_axes_set_at_once_are_both_counted(new_company: Callable[[], Company]) -> None:
    wares = Wares.create(new_company(), variants=2)
    wares.given(wares.variants[1], color="red", storage="1 GB")
    half = ({"color": "red"}, {"storage": "1 GB"})
    answers = at_once(2, lambda number: wares.set(wares.variants[0], **half[number]).status_code)
    assert sorted(answers) == [200, 400]
    with wares.company.scope():
        assert [rows for _, rows in broken() if rows] == []


def test_bulk_writers_in_opposite_order_do_not_deadlock(new_company: Callable[[], Company]) -> None:
    wares = Wares.create(new_company(), variants=30)
    codes = ("cores", "rating", "color")
    api = wares.company.api

    def write(number: int) -> int:
        variants = wares.variants if number % 2 else list(reversed(wares.variants))
        definition = str(wares.attributes[codes[number]].pk)
        value = {"value_text": "Red"} if codes[number] == "color" else {"value_number": "1"}
        chosen = variants[:1] if codes[number] == "color" else variants
        rows = [{"definition": definition, "variant": str(one.pk), **value} for one in chosen]
        return int(api.send("post", f"{VALUES}bulk/", {"rows": rows}).status_code)

    assert at_once(3, write) == [201] * 3
