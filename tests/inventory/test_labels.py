"""Labels: what is drawn on the paper is read back, module by module, as the code that was asked for."""

import re
import zlib
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
import segno
from barcode.charsets import code128

from inventory.gs1.elements import GS
from inventory.gs1.meaning import goods, read
from inventory.labels.drawing import printable
from inventory.labels.layouts import LAYOUTS
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.barcodes import ProductBarcodeFactory
from tests.factories.inventory import LocationFactory, ProductVariantFactory
from tests.limited import limited_api

LABELS = "/api/v1/labels/"
TODAY = date(2026, 11, 26)
RECTANGLE = re.compile(rb"([\d.]+) ([\d.]+) ([\d.]+) (-?[\d.]+) re f")


def printed(company: Company, *labels: dict[str, Any], api: Any = None, **more: Any) -> Any:
    return (api or company.api).send("post", LABELS, {"labels": list(labels), **more})


def pages(response: Any) -> list[bytes]:
    """What is drawn, page by page."""
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/pdf"), response.content
    streams = re.findall(rb"stream\n(.*?)\nendstream", response.content, re.S)
    drawn = [zlib.decompress(stream) for stream in streams if stream[:1] == b"x"]
    return [content for content in drawn if b" re f" in content]


def bars(page: bytes) -> str:
    """The modules of the bars on a page with one label."""
    found = sorted((float(x), float(width)) for x, _, width, _ in RECTANGLE.findall(page))
    module = found[0][1] / 2  # a start character begins with a bar of two modules
    modules, at = "", found[0][0]
    for x, width in found:
        modules += "0" * round((x - at) / module) + "1" * round(width / module)
        at = x + width
    return modules


def decoded(modules: str) -> str:
    """Code 128, by its table; FNC1 as GS. The check character and the stop must be right."""
    assert modules.endswith(code128.STOP + "11")
    symbols = [code128.CODES.index(modules[at : at + 11]) for at in range(0, len(modules) - 13, 11)]
    start, *data, check = symbols
    assert (start + sum(place * value for place, value in enumerate(data, 1))) % 103 == check
    charset, text = {103: "A", 104: "B", 105: "C"}[start], ""
    for value in data:
        if value == 102:
            text += GS
        elif value in (99, 100, 101) and value != {"A": 101, "B": 100, "C": 99}[charset]:
            charset = {99: "C", 100: "B", 101: "A"}[value]
        elif charset == "C":
            text += f"{value:02}"
        else:
            text += {number: letter for letter, number in getattr(code128, charset).items()}[value]
    return text


def test_a_variant_without_a_gtin_has_its_sku_in_code_128(acme: Company) -> None:
    with acme.scope():
        variant = ProductVariantFactory(sku="BR-1001/a 12345678", name="Brake pad")
    [page] = pages(printed(acme, {"variant": str(variant.pk)}))
    assert decoded(bars(page)) == "BR-1001/a 12345678"


@pytest.mark.parametrize("layout", list(LAYOUTS))
def test_gs1_128_holds_gtin_expiry_lot_and_serial_on_every_paper(layout: str, acme: Company) -> None:
    with acme.scope():
        variant = ProductBarcodeFactory(value="5601234567892").variant
    wanted = {"variant": str(variant.pk), "lot": "L7", "serial": "9", "expires_on": "2027-01-31", "symbol": "gs1_128"}
    [page] = pages(printed(acme, wanted, layout=layout))
    text = decoded(bars(page))
    assert text.startswith(GS)  # FNC1 at the beginning is what makes it GS1-128
    found = goods(read(text), TODAY)
    assert (found.gtin, found.lot, found.serial, found.expires_on) == ("05601234567892", "L7", "9", date(2027, 1, 31))


def test_a_gtin_of_thirteen_is_an_ean_and_one_of_fourteen_gs1_128(acme: Company) -> None:
    with acme.scope():
        unit = ProductBarcodeFactory(value="5601234567892")
        case = ProductBarcodeFactory(symbology="itf14", value="15400141288763")
    [ean] = pages(printed(acme, {"variant": str(unit.variant_id)}))
    assert sum(float(width) for _, _, width, _ in RECTANGLE.findall(ean)) > 0
    [bar] = pages(printed(acme, {"variant": str(case.variant_id)}))
    assert decoded(bars(bar)) == f"{GS}0115400141288763"


def test_an_sscc_is_printed_or_made_of_a_company_prefix(acme: Company) -> None:
    [page] = pages(printed(acme, {"sscc": "095060001343520017"}, layout="102x152"))
    assert decoded(bars(page)) == f"{GS}00095060001343520017"
    [page] = pages(printed(acme, {"company_prefix": "9506000", "serial_reference": 134352001}, layout="102x152"))
    assert decoded(bars(page)) == f"{GS}00095060001343520017"


def test_a_qr_code_has_the_modules_of_a_digital_link(acme: Company) -> None:
    with acme.scope():
        variant = ProductBarcodeFactory(value="5601234567892").variant
    [page] = pages(printed(acme, {"variant": str(variant.pk), "lot": "A/1", "symbol": "qr"}))
    expected = segno.make("https://id.gs1.org/01/05601234567892/10/A%2F1", error="m", micro=False).matrix
    found = [tuple(map(float, one)) for one in RECTANGLE.findall(page)]
    module = abs(found[0][3])
    left, top = min(x for x, *_ in found), max(y for _, y, *_ in found)
    drawn = {
        (round((top - y) / module), round((x - left) / module) + step)
        for x, y, width, _ in found for step in range(round(width / module))
    }
    assert drawn == {(row, column) for row, line in enumerate(expected) for column, dark in enumerate(line) if dark}


def test_a_place_has_its_barcode_and_a_narrow_paper_a_qr_code_instead(acme: Company) -> None:
    with acme.scope():
        plain, long = LocationFactory(code="A-01-02"), LocationFactory(code="A-1", barcode="LOC-" + "X" * 60)
    assert decoded(bars(pages(printed(acme, {"location": str(plain.pk)}))[0])) == "A-01-02"
    [page] = pages(printed(acme, {"location": str(long.pk)}))
    heights = {round(abs(float(height)), 3) for *_, height in RECTANGLE.findall(page)}
    assert len(heights) == 1 and heights.pop() < 2  # a square module's, not a bar's


def test_copies_fill_sheets_after_the_places_that_are_used_up(acme: Company) -> None:
    with acme.scope():
        variant = ProductVariantFactory()
    for skip, sheets in ((0, 1), (4, 2)):
        found = pages(printed(acme, {"variant": str(variant.pk), "copies": 21}, layout="a4-3x7", skip=skip))
        assert len(found) == sheets


@pytest.mark.parametrize("name", ["Śruba łożyska", "Гайка 8", "ナット", "مسمار", "🔩 bolt", "a\tb", "x" * 200, "%s \\ ( )"])
def test_a_name_in_any_script_is_printed(name: str, acme: Company) -> None:
    with acme.scope():
        variant = ProductVariantFactory(sku="ŚRUBA-1", name=name)
    assert pages(printed(acme, {"variant": str(variant.pk)}))


def test_letters_that_the_font_lacks_lose_their_accent_or_are_question_marks() -> None:
    assert printable("Überholung, Śruba, Гайка") == "Überholung, Sruba, ?????"


@pytest.mark.parametrize(("label", "pointer"), [
    ({"variant": str(uuid4())}, "/labels/0"), ({}, "/labels/0"), ({"variant": str(uuid4()), "sscc": "1"}, "/labels/0"),
    ({"sscc": "095060001343520018"}, "/labels/0"), ({"sscc": "12"}, "/labels/0"),
    ({"company_prefix": "12x", "serial_reference": 1}, ""),
    ({"company_prefix": "5601234"}, ""), ({"sscc": "095060001343520017", "copies": 1001}, ""), ({"variant": 5}, ""),
    ({"sscc": "095060001343520017", "symbol": "qr"}, "/labels/0"), ({"sscc": "095060001343520017", "copies": 0}, ""),
])  # fmt: skip
def test_what_cannot_be_printed_is_said_with_its_label(label: dict[str, Any], pointer: str, acme: Company) -> None:
    problem = assert_problem(printed(acme, label), 400)
    assert problem["errors"][0]["pointer"].startswith(pointer or "/labels")


def test_a_lot_needs_a_gtin_and_long_symbols_a_wide_paper(acme: Company) -> None:
    with acme.scope():
        plain, coded = ProductVariantFactory(), ProductBarcodeFactory().variant
    assert "no GTIN" in assert_problem(printed(acme, {"variant": str(plain.pk), "lot": "1"}), 400)["detail"]
    long = {"variant": str(coded.pk), "lot": "L" * 20, "serial": "S" * 20}
    assert pages(printed(acme, long))  # as a QR code
    assert_problem(printed(acme, *[{"sscc": "095060001343520017", "copies": 600}] * 2), 400)


def test_who_may_not_see_a_row_prints_no_label_of_it(acme: Company, bolt: Company) -> None:
    with acme.scope():
        variant, here, there = ProductVariantFactory(), LocationFactory(), LocationFactory()
    assert_problem(printed(acme, {"variant": str(variant.pk)}, api=acme.api_by_key("inventory.view_location")), 403)
    assert_problem(printed(bolt, {"variant": str(variant.pk)}), 400, "does_not_exist")
    limited = limited_api(acme, here.warehouse)
    assert pages(printed(acme, {"location": str(here.pk)}, api=limited))
    assert_problem(printed(acme, {"location": str(there.pk)}, api=limited), 400, "does_not_exist")


def test_a_client_that_takes_pdf_alone_gets_it_and_problems_too(acme: Company) -> None:
    api = acme.api_as("admin", Accept="application/pdf")
    assert pages(printed(acme, {"sscc": "095060001343520017"}, api=api))
    assert_problem(printed(acme, {"sscc": "1"}, api=api), 400)


def test_the_admin_prints_labels_of_selected_rows(acme: Company) -> None:
    with acme.scope():
        variants, location = [ProductVariantFactory(), ProductVariantFactory()], LocationFactory()
    admin = acme.admin
    asked = {"action": "print_labels", "_selected_action": [str(row.pk) for row in variants]}
    page = admin.post("/admin/inventory/productvariant/", asked)
    assert "Labels for 2 variants" in page.content.decode()
    chosen = {**asked, "print": "yes", "layout": "62x29", "symbol": "auto", "copies": 3, "skip": 0}
    assert len(pages(admin.post("/admin/inventory/productvariant/", chosen))) == 6
    wrong = admin.post("/admin/inventory/productvariant/", {**chosen, "symbol": "gs1_128"}).content.decode()
    assert "no GTIN" in wrong
    one = {**chosen, "_selected_action": str(location.pk), "symbol": "qr"}
    assert len(pages(admin.post("/admin/inventory/location/", one))) == 3
