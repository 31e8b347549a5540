"""GS1: what is emitted is read again, and what is wrong is said with its place."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.gs1.digits import as_gtin14, check_digit, completed, is_gtin, is_zero, shortest_gtin, upce_to_upca
from inventory.gs1.elements import GS, Element, Elements, emit, emit_bracketed, parse
from inventory.gs1.errors import GS1Error
from inventory.gs1.identifiers import PART_NUMBER, TABLE, Identifier
from inventory.gs1.links import QUALIFIERS, emit_link
from inventory.gs1.meaning import day_of, goods, read, sscc

TODAY = date(2026, 11, 26)
ALLOWED = "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"


def values(identifier: Identifier) -> st.SearchStrategy[str]:
    if identifier.date:
        days = st.tuples(st.integers(0, 99), st.integers(1, 12), st.integers(0, 28))
        time = "2359" if identifier.longest == 10 else ""
        return days.map(lambda day: "{:02}{:02}{:02}".format(*day) + time)
    letters = "0123456789" if identifier.numeric else ALLOWED
    if identifier.characters is PART_NUMBER:
        letters = "#-/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    rest = st.text(letters, min_size=identifier.shortest - identifier.checked, max_size=identifier.longest - identifier.checked)
    if not identifier.checked:
        return rest
    head = st.text("0123456789", min_size=identifier.checked - 1, max_size=identifier.checked - 1).map(completed).filter(
        lambda number: not is_zero(number),
    )
    return st.tuples(head, rest).map("".join)


@st.composite
def messages(draw: st.DrawFn, first: tuple[str, ...] = ()) -> Elements:
    """Some elements, each identifier once."""
    identifiers = draw(st.lists(st.sampled_from(sorted(TABLE)), min_size=0 if first else 1, max_size=7, unique=True))
    if first:
        key = draw(st.sampled_from(first))
        identifiers = [key, *(ai for ai in identifiers if ai != key)]
    return tuple(Element(ai, draw(values(TABLE[ai]))) for ai in identifiers)


@given(messages())
def test_an_element_string_is_read_as_it_was_emitted(elements: Elements) -> None:
    text = emit(elements)
    assert parse(text) == read(f"]d2{text}") == read(f"]C1{text}") == read(f"]Q3{text}") == read(f"]e0{text}{GS}") == elements


@given(messages())
def test_the_form_in_brackets_is_read_as_it_was_emitted(elements: Elements) -> None:
    try:
        text = emit_bracketed(elements)
    except GS1Error as error:  # a value that holds (10) or the like
        assert "brackets" in error.problem
    else:
        assert read(text) == elements


@given(messages(first=tuple(QUALIFIERS)), st.sampled_from(["https://id.gs1.org", "http://shop.example/some/path/"]))
def test_a_link_is_read_as_it_was_emitted(elements: Elements, domain: str) -> None:
    assert sorted(read(emit_link(elements, domain))) == sorted(elements)


@given(st.text(max_size=60) | st.text("()0123456789]Cd2Q3/\x1d%:?=&;abhtps.", max_size=60))
def test_any_text_is_read_or_refused_with_a_place_in_it(text: str) -> None:
    for candidate in (text, f"https://id.gs1.org/01/{text}", f"({text}"):
        try:
            assert read(candidate)
        except GS1Error as error:
            assert 1 <= error.position <= len(candidate) + 1


@pytest.mark.parametrize("text", [
    "]d201095060001343521725123110ABC123\x1d21XYZ", "01095060001343521725123110ABC123\u241d21XYZ",
    "(01)09506000134352(17)251231(10)ABC123(21)XYZ", " (01)09506000134352(17)251231(10)ABC123(21)XYZ\n",
    "https://id.gs1.org/01/09506000134352/10/ABC123/21/XYZ?17=251231",
    "HTTPS://example.com/goods/gtin/9506000134352/lot/ABC123/ser/XYZ?linkType=all&17=251231#top",
])  # fmt: skip
def test_one_scan_fills_gtin_lot_serial_and_expiry(text: str) -> None:
    found = goods(read(text), TODAY)
    assert (found.gtin, found.lot, found.serial, found.expires_on) == ("09506000134352", "ABC123", "XYZ", date(2025, 12, 31))


def test_an_expiry_with_its_time_is_an_expiry() -> None:
    assert goods(read("(01)09506000134352(7003)2512312359"), TODAY).expires_on == date(2025, 12, 31)
    assert goods(read("(7003)2512302359(17)251231"), TODAY).expires_on == date(2025, 12, 31)


def test_the_address_on_a_transport_label_does_not_hide_its_sscc() -> None:
    label = read("]C1" + emit([
        ("4300", "Oficina+Silva"), ("4302", "Rua+Augusta+1"), ("4307", "PT"), ("4321", "0"), ("4333", "000500-"),
        ("00", "095060001343520017"), ("7030", "620PT123"), ("715", "0123"), ("8110", "1"),
    ]))
    assert goods(label, TODAY).sscc == "095060001343520017"


def test_quantities_and_weights_have_the_decimals_that_the_identifier_says() -> None:
    found = goods(read("(02)09506000134352(37)24(3103)001250(00)095060001343520017"), TODAY)
    assert (found.content, found.quantity, found.net_weight, found.sscc) == (
        "09506000134352", 24, Decimal("1.250"), "095060001343520017",
    )


@pytest.mark.parametrize(("yymmdd", "today", "day"), [
    ("251231", TODAY, date(2025, 12, 31)), ("260200", TODAY, date(2026, 2, 28)), ("280200", TODAY, date(2028, 2, 29)),
    ("760101", TODAY, date(2076, 1, 1)), ("770101", TODAY, date(1977, 1, 1)), ("991231", date(2049, 1, 1), date(2099, 12, 31)),
    ("990101", date(2026, 1, 1), date(1999, 1, 1)), ("000101", date(1999, 6, 1), date(2000, 1, 1)),
    ("500101", date(1999, 6, 1), date(1950, 1, 1)),
])  # fmt: skip
def test_dates_have_the_century_that_is_nearest_and_day_00_is_the_last(yymmdd: str, today: date, day: date) -> None:
    assert day_of(yymmdd, today) == day


@pytest.mark.parametrize(("text", "position", "words"), [
    ("0109506000134353", 3, "would be 2, not 3"), ("010950600013435", 3, "takes 14 digits, and 13 were given"),
    ("01095060001343521751", 19, "takes 6 digits"), ("010950600013435217251331", 19, "is a date YYMMDD"),
    ("0109506000134352XX", 17, "no application identifier"), ("(01)09506000134352(10)", 23, "takes 1 to 20 characters"),
    ("(77)1", 1, "(77) is no application identifier"), ("10A\x1d10B", 7, "comes twice"), ("10A B", 3, "cannot hold ' '"),
    ("https://id.gs1.org/01/9506000134353", 23, "would be 2, not 3"), ("https://id.gs1.org/about", 19, "no key"),
    ("https://id.gs1.org/01/9506000134352/21/1/10/A", 42, "may not stand here"), ("", 1, "nothing"),
    ("(01)00000000000000", 5, "Zeros alone"), ("https://id.gs1.org/01/00000000", 23, "Zeros alone"),
    ("https://id.gs1.org/01/9506000134352?17=251331", 40, "is a date"), ("(7003)2512312460", 7, "is a date YYMMDDhhmm"),
])  # fmt: skip
def test_an_error_says_where_and_what(text: str, position: int, words: str) -> None:
    with pytest.raises(GS1Error) as raised:
        read(text)
    assert words in raised.value.problem
    assert raised.value.position == position


def test_check_digits_and_the_lengths_of_one_number() -> None:
    assert check_digit("629104150021") == "3"
    assert [is_gtin(number) for number in ("96385074", "036000291452", "4006381333931", "15400141288763", "4006381333932")] == [
        True, True, True, True, False,
    ]
    assert not any(is_gtin("0" * length) for length in (8, 12, 13, 14))
    assert as_gtin14("036000291452") == as_gtin14("0036000291452") == "00036000291452"
    assert [shortest_gtin(number) for number in ("00036000291452", "04006381333931", "15400141288763", "00000096385074")] == [
        "036000291452", "4006381333931", "15400141288763", "96385074",
    ]
    assert upce_to_upca("01234565") == "012345000065"
    assert upce_to_upca("96385074") is None


@given(st.integers(4, 12).flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size)), st.integers(0, 9999))
def test_an_sscc_is_made_of_a_company_prefix_and_a_serial(prefix: str, serial: int) -> None:
    made = sscc(prefix, serial, extension=3)
    assert len(made) == 18 and made.startswith(f"3{prefix}")
    assert goods(read(f"(00){made}"), TODAY).sscc == made


@pytest.mark.parametrize(("prefix", "serial"), [("123", 1), ("560123x", 1), ("560123456789", 10_000), ("5601234", -1)])
def test_an_sscc_that_has_no_room_is_refused(prefix: str, serial: int) -> None:
    with pytest.raises(GS1Error):
        sscc(prefix, serial)
