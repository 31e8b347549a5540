"""Attributes of products and variants: typed, set together, and lists filtered by them."""

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from core.invariants import broken
from inventory.api.attribute_filters import FEW, OF_PRODUCTS, OF_VARIANTS, attribute_conditions
from inventory.models import AttributeDefinition, ProductAttributeValue, ProductVariant, UnitOfMeasure
from tests.admin.pages import statements as counted
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers, statements
from tests.factories.inventory import ProductFactory, ProductVariantFactory
from tests.inventory.wares import DEFINITIONS, PRODUCTS, VALUES, VARIANTS, Wares

EVERYTHING = {
    "color": "red", "storage": "128 GB", "maker_code": "A-7", "cores": 8, "rating": "4.5", "waterproof": True,
    "launched": "2026-01-31",
}  # fmt: skip
SHOWN = {**EVERYTHING, "color": "Red", "storage": {"number": "128", "unit": "GB"}, "cores": "8"}


@pytest.fixture
def wares(acme: Company) -> Wares:
    return Wares.create(acme)


def test_sets_all_in_one_call(wares: Wares) -> None:
    phone = wares.variants[0]
    wares.given(wares.product, launched="2025-12-01", maker_code="P")
    assert wares.set(phone, "put", **EVERYTHING).json() == {"attributes": SHOWN, "inherited": {}}
    assert wares.set(phone, "patch", cores=None, rating=5).json()["attributes"] == {
        name: value for name, value in {**SHOWN, "rating": "5"}.items() if name != "cores"
    }
    answer = wares.set(phone, "put", storage={"number": "0.25", "unit": "TB"}).json()
    assert answer["attributes"] == {"storage": {"number": "0.25", "unit": "TB"}}
    assert answer["inherited"] == {"launched": "2025-12-01", "maker_code": "P"}
    assert wares.company.api.get(f"{VARIANTS}{phone.pk}/attributes/").json() == answer
    with wares.company.scope():
        assert [rows for _, rows in broken() if rows] == []


def test_costs_the_same_for_one_and_for_many(wares: Wares) -> None:
    def sent(row: ProductVariant, **values: Any) -> int:
        with counted() as found:
            wares.given(row, **values)
        return len(found)

    assert sent(wares.variants[0], **EVERYTHING) <= sent(wares.variants[1], storage="64 GB")


@pytest.mark.parametrize(("code", "value"), [
    ("nothing", "x"), ("color", "green"), ("color", ""), ("color", 7), ("storage", "128 kg"), ("storage", "much"),
    ("storage", {"number": "1", "unit": 5}), ("storage", {"x": 1}), ("storage", ["1"]), ("storage", "9999999999999 TB"),
    ("cores", "1.5"), ("cores", "8 GB"), ("cores", True), ("rating", "NaN"), ("rating", 1e300), ("rating", "1" * 30),
    ("waterproof", "perhaps"), ("waterproof", 1), ("launched", "31.01.2026"), ("launched", 5), ("maker_code", "a\u0000b"),
    ("maker_code", "x" * 401), ("maker_code", {}), ("maker_code", " "),
])  # fmt: skip
def test_says_what_is_wrong(code: str, value: Any, wares: Wares) -> None:
    problem = assert_problem(wares.set(wares.variants[0], **{code: value}), 400)
    if code in wares.attributes and value != "9999999999999 TB":
        assert pointers(problem) == {f"/attributes/{code}"}
    assert wares.company.api.get(f"{VARIANTS}{wares.variants[0].pk}/attributes/").json()["attributes"] == {}


def test_an_axis_is_a_matter_of_variants(wares: Wares) -> None:
    assert "variant" in assert_problem(wares.set(wares.product, color="red"), 400)["detail"]


def test_no_two_variants_have_the_same_axes(wares: Wares) -> None:
    first, second, third = wares.variants
    wares.given(first, color="red", storage="128 GB")
    wares.given(second, color="red", storage="256 GB")
    refused = assert_problem(wares.set(third, color="Red", storage="128000 MB"), 400)
    assert "same values on all axes" in refused["detail"]
    wares.given(third, color="blue", storage="128 GB")
    for same in ({"color": "red"}, {"storage": "256 GB", "color": "red"}):
        assert_problem(wares.set(third, **same), 400)
    wares.given(second, color="black")
    wares.given(third, color="red", storage="256 GB")  # by way of what the first has, had they been set one after the other
    with wares.company.scope():
        other = ProductVariantFactory()
    wares.given(other, color="red", storage="128 GB")
    api = wares.company.api
    moved = api.send("patch", f"{VARIANTS}{other.pk}/", {"product": str(wares.product.pk)})
    assert "same values on all axes" in assert_problem(moved, 400)["detail"]
    assert api.delete(f"{VARIANTS}{first.pk}/").status_code == 204
    assert api.send("patch", f"{VARIANTS}{other.pk}/", {"product": str(wares.product.pk)}).status_code == 200
    assert_problem(api.post(f"{VARIANTS}{first.pk}/restore/"), 400, "unique")
    with wares.company.scope():
        assert [rows for _, rows in broken() if rows] == []


def test_filters_ranges_in_any_unit(wares: Wares) -> None:
    for variant, storage in zip(wares.variants, ("64 GB", "131072 MB", "0.25 TB"), strict=True):
        wares.given(variant, storage=storage)
    assert wares.found(storage__gte="128GB") == [1, 2]
    assert wares.found(storage__gt="131072000000 B") == [2]
    assert wares.found(storage__lt="0.1 TB") == [0]
    assert wares.found(storage="250 gb") == [2]
    assert wares.found(storage__in="64,0.25 TB") == [0, 2]
    assert wares.found(storage__lte="131.072", storage__gt="64") == [1]


@pytest.fixture(params=[0, FEW], ids=["of many", "of few"])
def looked_up(request: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways in which a list finds those who have a value."""
    monkeypatch.setattr("inventory.api.attribute_filters.FEW", request.param)


@pytest.mark.usefixtures("looked_up")
def test_filters_by_each_type(wares: Wares) -> None:
    one, two, _ = wares.variants
    wares.given(one, **EVERYTHING)
    wares.given(two, color="blue", cores=12, rating="-1.25", waterproof=False, launched="2025-06-30", maker_code="a-8")
    for query, expected in (
        ({"color": "RED"}, [0]), ({"color__in": "red,blue"}, [0, 1]), ({"cores__gte": "9"}, [1]), ({"cores__lt": "9"}, [0]),
        ({"rating__lt": "0"}, [1]), ({"rating__gte": "-1.25"}, [0, 1]), ({"waterproof": "no"}, [1]),
        ({"launched__gt": "2025-12-31"}, [0]), ({"maker_code": "A-8"}, [1]), ({"cores__isnull": "true"}, [2]),
        ({"cores__isnull": "false"}, [0, 1]), ({"color": "red", "waterproof": "false"}, []),
    ):  # fmt: skip
        assert wares.found(**query) == expected, query


@pytest.mark.usefixtures("looked_up")
def test_a_variant_has_what_its_product_has_unless_it_has_its_own(wares: Wares) -> None:
    wares.given(wares.product, cores=8)
    wares.given(wares.variants[1], cores=12)
    assert wares.found(cores="8") == [0, 2]
    assert wares.found(cores__gt="8") == [1]
    assert wares.found(PRODUCTS, cores="8") == wares.found(PRODUCTS, cores="12") == [0]
    assert wares.found(cores__isnull="true") == wares.found(PRODUCTS, cores__isnull="true") == []
    assert wares.found(PRODUCTS, cores="9") == []
    wares.company.api.delete(f"{VARIANTS}{wares.variants[1].pk}/")
    assert wares.found(PRODUCTS, cores="12") == []


def test_counts_as_many_as_it_finds(wares: Wares, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, _ = wares.variants
    wares.given(wares.product, cores=8)
    wares.given(one, color="red")
    wares.given(two, cores=12, color="blue")
    for name, text, variants, products in (
        ("cores", "8", 2, 1), ("cores__gt", "8", 1, 1), ("cores__gte", "8", 3, 2), ("cores__lt", "12", 2, 1),
        ("cores__lte", "12", 3, 2), ("cores__in", "8,12", 3, 2), ("color__isnull", "false", 2, 2),
        ("color__in", "red,blue", 2, 2),
    ):  # fmt: skip
        for owners, number in ((OF_VARIANTS, variants), (OF_PRODUCTS, products)):
            for few in (number - 1, number):
                monkeypatch.setattr("inventory.api.attribute_filters.FEW", few)
                with wares.company.scope():
                    [(sql, _)] = attribute_conditions({f"attr.{name}": text}, owners)
                assert ("= ANY (ARRAY(" in sql) == (few == number), (name, text, number)


@pytest.mark.parametrize(("name", "value", "says"), [
    ("nothing", "x", "Known: "), ("storage__gte", "5 kg", "Known: "), ("color", "green", "black"),
    ("color__gte", "red", "in, isnull"), ("cores", "a\0b", "number"), ("secret", "x", "not filtered"),
    ("cores__isnull", "x", "true or false"),
    ("storage__gte", "0,5 GB", "Give a number"), ("storage__gte", "1e3 GB", "Give a number"),
    ("storage", "1" * 15 + " GB", "13 digits"),
    ("storage", "9999999999999 TB", "too much"), ("", "x", "Unknown attribute"), ("cores", "", "number"),
])  # fmt: skip
def test_says_what_can_be_asked(name: str, value: str, says: str, wares: Wares) -> None:
    problem = assert_problem(wares.company.api.get(VARIANTS, {f"attr.{name}": value}), 400, "invalid_parameter")
    assert says in problem["detail"]
    assert problem["errors"][0]["parameter"] == f"attr.{name}"


def test_a_filter_costs_one_statement_more(wares: Wares) -> None:
    plain = len(statements(wares.company.api, VARIANTS))
    filtered = f"{VARIANTS}?attr.storage__gte=1&attr.color=red&attr.cores__lt=5"
    assert len(statements(wares.company.api, filtered)) == plain + 2  # the attributes with their units, and how many have them
    assert len(statements(wares.company.api, filtered)) == plain + 1  # which is known for a minute
    assert_problem(wares.company.api.get(VARIANTS, {f"attr.cores__{n}": "1" for n in range(11)}), 400)


def test_single_values_are_checked_as_well(wares: Wares) -> None:
    api, variant = wares.company.api, str(wares.variants[0].pk)
    storage, cores = (str(wares.attributes[code].pk) for code in ("storage", "cores"))
    body = {"definition": storage, "variant": variant, "value_number": "5"}
    made = api.send("post", VALUES, body).json()
    assert (made["unit_code"], made["product"]) == ("E34", str(wares.product.pk))
    with wares.company.scope():
        kilogram, other = str(UnitOfMeasure.objects.get(code="KGM").pk), str(ProductFactory().pk)
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({**body, "unit": kilogram}, "/unit"), ({**body, "value_number": None, "value_text": "5"}, "/value_number"),
        ({"definition": cores, "variant": variant, "value_number": "1.5"}, "/value_number"),
        ({"definition": cores, "variant": variant, "value_number": "1", "unit": kilogram}, "/unit"),
        ({"definition": cores, "variant": variant, "product": other, "value_number": "1"}, "/product"),
        ({"definition": storage, "product": other, "value_number": "1"}, "/variant"),
    )
    for one, pointer in wrong:
        assert pointers(assert_problem(api.send("post", VALUES, one), 400)) == {pointer}
    assert_problem(api.send("post", VALUES, body), 400, "unique")
    two = {"definition": cores, "variant": variant, "value_number": "1", "value_boolean": True}
    assert "exactly one" in assert_problem(api.send("post", VALUES, two), 400)["detail"]


def test_what_has_values_keeps_its_type(wares: Wares) -> None:
    wares.given(wares.variants[0], color="red", storage="1 GB", cores=4)
    api = wares.company.api
    url = {code: f"{DEFINITIONS}{one.pk}/" for code, one in wares.attributes.items()}
    with wares.company.scope():
        units = {unit.code: str(unit.pk) for unit in UnitOfMeasure.objects.filter(code__in=["E35", "KGM", "E34"])}
    for code, change in (
        ("cores", {"data_type": "text"}), ("cores", {"is_variant_axis": True}), ("color", {"options": ["black"]}),
        ("storage", {"unit": units["KGM"]}),
    ):
        assert_problem(api.send("patch", url[code], change), 409, "attribute_in_use")
    assert_problem(api.delete(url["cores"]), 409, "in_use")
    assert_problem(api.send("patch", f"/api/v1/units-of-measure/{units['E34']}/", {"dimension": "mass"}), 409, "unit_in_use")
    for code, change in (
        ("color", {"options": ["Red", "pink"]}), ("storage", {"unit": units["E35"]}), ("rating", {"data_type": "text"}),
    ):
        assert api.send("patch", url[code], change).status_code == 200


def test_a_corrected_factor_corrects_what_is_compared(wares: Wares) -> None:
    with wares.company.scope():
        unit = UnitOfMeasure.objects.create(code="FLOPPY", name="Floppy disk", dimension="data", factor=1_400_000)
    wares.given(wares.variants[0], storage="2 FLOPPY")
    api = wares.company.api
    assert wares.found(storage="2.88 MB") == []
    assert api.send("patch", f"/api/v1/units-of-measure/{unit.pk}/", {"factor": "1440000"}).status_code == 200
    assert wares.found(storage="2.88 MB") == [0]


numbers = st.decimals(min_value=-(10**12), max_value=10**12, places=6)


@given(st.lists(numbers, min_size=2, max_size=2))
def test_keys_sort_as_the_numbers_do(pair: list[Decimal]) -> None:
    """The SQL in Python's words, beside the numbers themselves."""
    first, second = (f"{number + 10**21:035.12f}" for number in pair)
    assert (first < second, first == second) == (pair[0] < pair[1], pair[0] == pair[1])


def test_the_database_makes_such_keys(wares: Wares) -> None:
    values = [Decimal(text) for text in ("-5.5", "-0.000001", "0", "0.5", "10", "9.999999", "1000000000000")]
    with wares.company.scope():
        variants = ProductVariantFactory.create_batch(len(values), product=wares.product)
        definition = AttributeDefinition.objects.get(code="rating")
        ProductAttributeValue.objects.bulk_create([
            ProductAttributeValue(definition=definition, variant=variant, value_number=value)
            for variant, value in zip(variants, values, strict=True)
        ])
        by_key = ProductAttributeValue.objects.filter(definition=definition).order_by("key").values_list("value_number", "key")
        assert [(number, key) for number, key in by_key] == [(one, f"{one + 10**21:035.12f}") for one in sorted(values)]


def test_keys_are_compared_before_the_wall_is_looked_at(acme: Company) -> None:
    """Why a key is text: an index serves leakproof comparisons alone, under row security. If this ever fails, keys can go."""
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT oprleft::regtype::text, proleakproof FROM pg_operator JOIN pg_proc ON pg_proc.oid = oprcode
            WHERE oprname = '>=' AND oprleft = oprright AND oprleft IN ('text'::regtype, 'numeric'::regtype)
        """)
        assert dict(cursor.fetchall()) == {"text": True, "numeric": False}
