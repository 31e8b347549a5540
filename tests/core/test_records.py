"""Records as other systems write them."""

import gzip
import json
from datetime import UTC
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.records import BadValue, Record, UnreadableFile, read_records

PLAIN = {"id": "a1", "price": Decimal("9.90"), "colors": ["red", "blue"], "new": True, "none": None, "lines": [{"q": Decimal(2)}]}
TYPED = {
    "id": {"S": "a1"}, "price": {"N": "9.90"}, "colors": {"SS": ["red", "blue"]}, "new": {"BOOL": True}, "none": {"NULL": True},
    "lines": {"L": [{"M": {"q": {"N": "2"}}}]},
}
JSON = '{"id": "a1", "price": 9.90, "colors": ["red", "blue"], "new": true, "none": null, "lines": [{"q": 2}]}'


@pytest.mark.parametrize("text", [
    JSON, f"\n{JSON}\n\n", f"[{JSON}]", json.dumps({"Item": TYPED}), json.dumps(TYPED),
    json.dumps({"Items": [TYPED], "Count": 1}), json.dumps({"Items": [TYPED], "Count": 1}, indent=2),
    json.dumps(json.loads(JSON), indent=2), f"\ufeff{JSON}",
])  # fmt: skip
@pytest.mark.parametrize("packed", [False, True])
def test_the_same_record_in_each_shape(text: str, packed: bool, tmp_path: Path) -> None:
    path = tmp_path / "items.json"
    path.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
    found = read_records([path])
    assert not found.faults
    assert [dict(record.values) for record in found.rows] == [PLAIN]


def test_csv_and_folders(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "manifest-summary.json").write_text("{}")
    (tmp_path / "data" / "1.csv").write_text('id,title,items\na1,"Phone, blue","[{""q"": 2}]"\na2,,\na3,[New] Phone,\na4,x\n')
    lines = ['{"id": "a5"}', "not json", '{"Item": {"n": {"N": "many"}}}', '["a"]', '{"id": "a\\u0000"}']
    (tmp_path / "data" / "2.json").write_text("\n".join(lines))
    found = read_records([tmp_path])
    assert [dict(record.values) for record in found.rows] == [
        {"id": "a1", "title": "Phone, blue", "items": [{"q": 2}]}, {"id": "a2"}, {"id": "a3", "title": "[New] Phone"},
        {"id": "a5"},
    ]
    said = [str(fault) for fault in found.faults]
    assert [one.partition(":")[0] for one in said] == [
        "1.csv, line 5", "2.json, line 2", "2.json, line 3", "2.json, line 4", "2.json, line 5",
    ]
    assert "3 fields are needed, but the row has 2." in said[0] and "'many' is no number." in said[2]


@pytest.mark.parametrize(("content", "complaint"), [
    (b"", "is empty"), (b"\xe0\x01\x00\xea", "Ion"), (gzip.compress(b"[1]", mtime=0)[:-9], "copy it again"), (b"[1, 2", "is not JSON"),
    (b"id,,x\n", "without a name"), (b'id\n"a\n', "is not CSV"),
])  # fmt: skip
def test_a_file_that_is_none_is_named(content: bytes, complaint: str, tmp_path: Path) -> None:
    path = tmp_path / "items.bin"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match=complaint) as refused:
        read_records([path])
    assert "items.bin" in str(refused.value)
    with pytest.raises(UnreadableFile, match="name an existing file"):
        read_records([tmp_path / "gone.json"])


def test_values_say_what_is_wrong_with_them() -> None:
    zone = ZoneInfo("Europe/Lisbon")

    def of(value: Any) -> Record:
        return Record("f", "line 1", {"v": value})

    assert [of(value).text("v") for value in (None, " x ", 7, Decimal("7.50"))] == ["", "x", "7", "7.50"]
    assert [of(value).number("v") for value in ("2", 2, Decimal("0.5"), "")] == [2, 2, Decimal("0.5"), None]
    assert of(["a", 1, ""]).texts("v", longest=9) == "a, 1"
    times = ("2026-07-01T10:00:00", "2026-07-01T09:00:00Z", 1782896400, "1782896400000")
    moments = [of(value).moment("v", zone) for value in times]
    assert {moment and moment.astimezone(UTC).isoformat() for moment in moments} == {"2026-07-01T09:00:00+00:00"}
    wrong: list[Any] = [
        lambda: of({}).text("v"), lambda: of("").text("v", is_required=True), lambda: of("xx").text("v", longest=1),
        lambda: of(True).number("v"), lambda: of("-1").number("v"), lambda: of("1e9").number("v"), lambda: of("NaN").number("v"),
        lambda: of("0.0000001").number("v"), lambda: of("soon").moment("v", zone), lambda: of(True).moment("v", zone),
        lambda: of("9" * 400).moment("v", zone),
    ]
    for read in wrong:
        with pytest.raises(BadValue):
            read()
