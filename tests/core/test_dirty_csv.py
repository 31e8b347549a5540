import time
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core import csv_kinds as kinds
from core.csv_kinds import DATE, DECIMAL, FLAG, INTEGER, PHONE, PICTURE, POSTAL_CODE, TEXT, WORD, Kind, Value
from core.dirty_csv import (
    BY_BLANKS,
    BY_KINDS,
    BY_QUOTES,
    BY_WORDS,
    MOST_EXTRA_FIELDS,
    Column,
    Repair,
    TableReading,
    UnreadableTable,
    read_table,
)

type Read = Callable[..., TableReading]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read_lines(columns: Sequence[Column], *lines: str) -> TableReading:
        header = ",".join(column.name for column in columns)
        path = tmp_path / "table.csv"
        path.write_text("".join(f"{line}\n" for line in (header, *lines)), encoding="utf-8", newline="")
        return read_table(path, columns)

    return read_lines


def assert_grows_with_length(read_part: Callable[[float], object]) -> None:
    """Four times the length in less than ten times the time, whatever the machine; pair by pair it would be sixteen."""

    def seconds(part: float) -> float:
        began = time.thread_time()
        read_part(part)
        return time.thread_time() - began

    quarter, whole = (min(seconds(part) for _ in range(3)) for part in (0.25, 1))
    assert whole < 10 * max(quarter, 0.005)


def columns_of(*shape: Kind) -> list[Column]:
    return [Column(f"c{place}", kind) for place, kind in enumerate(shape, start=1)]


def values(reading: TableReading) -> list[list[Value]]:
    return [list(row.values.values()) for row in reading.rows]


def problems(reading: TableReading) -> list[str]:
    return [str(problem) for problem in reading.problems]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (INTEGER, "-17", -17),
        (DECIMAL, "14.00", Decimal("14.00")),
        (DATE, "1996-07-04 00:00:00.000", date(1996, 7, 4)),
        (DATE, "1996-07-04", date(1996, 7, 4)),
        (kinds.instant(), "1996-07-04 09:30:00.250", datetime(1996, 7, 4, 9, 30, 0, 250_000, UTC)),
        (
            kinds.instant(ZoneInfo("America/New_York")),
            "1996-07-04 09:30",
            datetime(1996, 7, 4, 13, 30, tzinfo=UTC),
        ),
        (kinds.instant(), "1996-07-04T09:30:00+02:00", datetime(1996, 7, 4, 7, 30, tzinfo=UTC)),
        (FLAG, "1", True),
        (FLAG, "False", False),
        (TEXT, "Mataderos  2312", "Mataderos  2312"),
        (TEXT, 'pipe 12"', 'pipe 12"'),
        (kinds.choice("Mr.", "Ms."), "Ms.", "Ms."),
        (PHONE, "(0)2-953010", "(0)2-953010"),
        (PHONE, "85.57.00.07", "85.57.00.07"),
        (POSTAL_CODE, "S-345 67", "S-345 67"),
        (POSTAL_CODE, "05432-043", "05432-043"),
        (PICTURE, "0x151C2F00", None),
        (PICTURE, "", None),
        (INTEGER, "NULL", None),
        (TEXT, "NULL", None),
        (TEXT, "", None),
        (TEXT, '""', ""),
        (TEXT, '"NULL"', "NULL"),
        (INTEGER, '"5"', 5),
        (TEXT, '"a, b"', "a, b"),
        (TEXT, '" a "', " a "),
        (TEXT, '"the ""art"" of"', 'the "art" of'),
    ],
)
def test_a_value_comes_back_typed(read: Read, kind: Kind, text: str, value: Value) -> None:
    reading = read(columns_of(INTEGER, kind), f"1,{text}")

    assert values(reading) == [[1, value]]
    assert not reading.problems
    assert not reading.repairs


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (INTEGER, "1.5"),
        (INTEGER, "\u0661"),
        (INTEGER, "9" * 19),
        (DECIMAL, "1e5"),
        (DECIMAL, "NaN"),
        (DATE, "1996-07-04 12:00:00"),
        (DATE, "1996-02-30"),
        (DATE, "04.07.1996"),
        (kinds.instant(), "1996-07-04"),
        (FLAG, "2"),
        (TEXT, "a\0b"),
        (kinds.choice("Mr.", "Ms."), "Mr"),
        (PHONE, "12"),
        (PHONE, "Berlin"),
        (POSTAL_CODE, "BERLIN"),
        (PICTURE, "0xHELLO"),
    ],
)
def test_a_wrong_value_is_reported_and_the_rest_goes_on(read: Read, kind: Kind, text: str) -> None:
    reading = read(columns_of(INTEGER, kind), f"1,{text}", "2,NULL")

    assert values(reading) == [[2, None]]
    assert problems(reading) == [f"table.csv, line 2, column c2: {text!r} is not {kind.name}."]


def test_a_required_value_that_is_missing_is_reported(read: Read) -> None:
    columns = [Column("id", INTEGER, required=True), Column("name", TEXT, required=True)]

    reading = read(columns, "1,NULL", ",Chai", "3,Chang")

    assert values(reading) == [[3, "Chang"]]
    assert problems(reading) == [
        "table.csv, line 2, column name: a value is required.",
        "table.csv, line 3, column id: a value is required.",
    ]


def test_a_field_that_begins_with_a_blank_continues_the_one_before(read: Read) -> None:
    reading = read(columns_of(INTEGER, TEXT, TEXT), "7,Pavlova, Ltd.,Ian", "8,a, b , c,d ,e")

    assert values(reading) == [[7, "Pavlova, Ltd.", "Ian"], [8, "a, b , c", "d ,e"]]
    assert reading.repairs == [
        Repair("table.csv", 2, {"c2": "Pavlova, Ltd."}, BY_BLANKS),
        Repair("table.csv", 3, {"c2": "a, b , c", "c3": "d ,e"}, BY_BLANKS),
    ]
    assert str(reading.repairs[0]) == f"table.csv, line 2: read c2 as 'Pavlova, Ltd.', because {BY_BLANKS}."


def test_kinds_decide_where_no_blank_does(read: Read) -> None:
    reading = read(columns_of(INTEGER, TEXT, DECIMAL, TEXT), "1,Smith,Jones,9.50,x", "2,Smith,9.50,x,y")

    assert values(reading) == [[1, "Smith,Jones", Decimal("9.50"), "x"], [2, "Smith", Decimal("9.50"), "x,y"]]
    assert [repair.reason for repair in reading.repairs] == [BY_KINDS, BY_KINDS]


def test_several_readings_are_reported_and_none_is_chosen(read: Read) -> None:
    reading = read(columns_of(INTEGER, TEXT, TEXT), "1,a,b,c", "2,d,e")

    assert values(reading) == [[2, "d", "e"]]
    assert problems(reading) == ["table.csv, line 2, column c2: this can be read as 'a' or 'a,b'."]


def test_known_words_decide_between_several_readings(read: Read) -> None:
    columns = columns_of(INTEGER, TEXT, WORD)

    reading = read(columns, "1,Quai 5,75,Owner", "2,x,Owner", "3,x,Sales, Asia", "4,y,z,Clerk", "5,y,Sales, Asia,Owner")

    assert values(reading) == [
        [1, "Quai 5,75", "Owner"],
        [2, "x", "Owner"],
        [3, "x", "Sales, Asia"],
        [5, "y,Sales, Asia", "Owner"],
    ]
    assert [repair.reason for repair in reading.repairs] == [BY_WORDS, BY_BLANKS, BY_WORDS]
    assert problems(reading) == ["table.csv, line 5, column c2: this can be read as 'y' or 'y,z'."]


def test_two_readings_with_known_words_stay_ambiguous(read: Read) -> None:
    reading = read(columns_of(TEXT, WORD, TEXT), "a,Owner,b", "a,Owner,Owner,b")

    assert values(reading) == [["a", "Owner", "b"]]
    assert problems(reading) == ["table.csv, line 3, column c1: this can be read as 'a' or 'a,Owner'."]


@pytest.mark.parametrize("other", ["x,y,NULL,z", "x,y,Owner,z"])
def test_a_missing_word_decides_nothing_unless_words_are_known_to_miss(read: Read, other: str) -> None:
    columns = columns_of(TEXT, TEXT, WORD, TEXT)

    reading = read(columns, other, "x,y,NULL,a,b")

    assert len(reading.rows) == 1
    assert problems(reading) == ["table.csv, line 3, column c1: this can be read as 'x' or 'x,y'."]
    assert values(read(columns, "x,y,NULL,z", "x,y,Owner,z", "x,y,NULL,a,b"))[2] == ["x", "y", None, "a,b"]


def test_no_value_is_never_a_piece_of_one(read: Read) -> None:
    reading = read(columns_of(TEXT, TEXT, INTEGER, TEXT), "a,NULL,5,c,d", "a,,5,c,d", "NULL, Ltd.,b,5,c")

    assert values(reading) == [["a", None, 5, "c,d"]] * 2
    assert problems(reading) == [
        "table.csv, line 4: there is a blank beside a field that is quoted, empty or NULL.",
    ]


def test_a_row_that_no_joining_fits_is_reported_at_the_first_such_column(read: Read) -> None:
    reading = read(columns_of(INTEGER, TEXT, DECIMAL, TEXT), "1,a,b,c,d")

    assert not reading.rows
    assert problems(reading) == [f"table.csv, line 2, column c3: no joining of the row's 5 fields makes this {DECIMAL.name}."]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("1,a", "3 fields are needed, but the row has 2"),
        ("", "3 fields are needed, but the row has 1"),
        ("1,a, b", "3 fields are needed, but the row has 3 (2 after joining those with a blank)"),
        (" 1,a,b", "the row begins or ends with a blank, so a piece of a value is missing"),
        ("1,a,b ", "the row begins or ends with a blank, so a piece of a value is missing"),
        ('1,"a", b,c', "there is a blank beside a field that is quoted, empty or NULL"),
        ('1,"a,b', "a quote is opened and not closed"),
        ('1,"a,b" c,d', "a quote is opened and not closed"),
    ],
)
def test_a_row_of_the_wrong_shape_is_reported(read: Read, line: str, reason: str) -> None:
    reading = read(columns_of(INTEGER, TEXT, TEXT), line, "2,c,d")

    assert values(reading) == [[2, "c", "d"]]
    assert problems(reading) == [f"table.csv, line 2: {reason}."]


def test_a_quoted_field_is_never_joined_without_its_quotes(read: Read) -> None:
    reading = read(columns_of(INTEGER, TEXT, DECIMAL), '1,"a",b,2.5')

    assert not reading.rows
    assert len(reading.problems) == 1


def test_quotes_inside_a_field_are_kept_and_reported(read: Read) -> None:
    reading = read(columns_of(INTEGER, TEXT), '1,"Big" Bob', '2,12" pipe')

    assert values(reading) == [[1, '"Big" Bob'], [2, '12" pipe']]
    assert reading.repairs == [Repair("table.csv", 2, {"c2": '"Big" Bob'}, BY_QUOTES)]


def test_a_quoted_value_may_hold_line_ends(read: Read) -> None:
    reading = read(columns_of(INTEGER, TEXT, INTEGER), '1,"a\nb\n",2', "3,c,4")

    assert values(reading) == [[1, "a\nb\n", 2], [3, "c", 4]]
    assert [row.line for row in reading.rows] == [2, 5]
    assert not reading.problems


def test_an_open_quote_swallows_no_other_row(read: Read) -> None:
    lines = [f'{number},"name {number}",{number}' for number in range(2, 30)]

    reading = read(columns_of(INTEGER, TEXT, INTEGER), '1,"name 1,1', *lines)

    assert [row.values["c1"] for row in reading.rows] == list(range(2, 30))
    assert problems(reading) == ["table.csv, line 2: a quote is opened and not closed."]


def test_a_quote_that_closes_where_no_row_can_end_is_left_open(read: Read) -> None:
    reading = read(columns_of(INTEGER, TEXT), '1,"a', '2,b",c', '3,"a', '4,b"')

    assert values(reading) == [[2, 'b",c'], [3, "a\n4,b"]]
    assert problems(reading) == ["table.csv, line 2: a quote is opened and not closed."]


@pytest.mark.parametrize(
    "line",
    [
        ",".join(["a"] * 800),
        ", ".join(["a"] * 200_000),
        "1," * 100_000,
        '"' * 100_001,
        '"a,' * 50_000,
        '"a,""' * 50_000,
        "1" + ",b" * (MOST_EXTRA_FIELDS + 11),
        "1," + "(" * 100_000 + ",1" * 10,
    ],
)
def test_a_hostile_row_is_reported_at_once(read: Read, line: str) -> None:
    columns = columns_of(INTEGER, *[TEXT] * 9, PHONE, POSTAL_CODE)
    assert_grows_with_length(lambda part: read(columns, line[: int(len(line) * part)]))

    reading = read(columns, line)

    assert not reading.rows
    assert len(reading.problems) == 1


def test_many_open_quotes_are_reported_at_once(read: Read) -> None:
    columns, lines = columns_of(INTEGER, TEXT), ['1,"' + "a" * 200] * 2_000
    assert_grows_with_length(lambda part: read(columns, *lines[: int(len(lines) * part)]))

    reading = read(columns, *lines)

    assert len(reading.problems) == 2_000


def test_a_long_value_is_cut_in_the_message(read: Read) -> None:
    reading = read(columns_of(INTEGER, INTEGER), f"1,{'x' * 5_000}")

    assert len(problems(reading)[0]) < 200


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "table.csv has no header: begin it with the names of its columns."),
        (
            b"id,title\n1,a\n",
            "table.csv: column 2 of the header is 'title' instead of 'name': correct the header or choose the right file.",
        ),
        (
            b"id,name,phone\n",
            "table.csv: the header has 3 columns instead of 2: correct the header or choose the right file.",
        ),
        (
            "id,name\n1,a\n2,Côte\n".encode("latin-1"),
            "table.csv, line 3 is not UTF-8: save the file as UTF-8.",
        ),
        ("id,name\n1,a\n".encode("utf-16"), "table.csv, line 1 is not UTF-8: save the file as UTF-8."),
    ],
)
def test_a_file_of_the_wrong_form_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(content)

    with pytest.raises(UnreadableTable) as refusal:
        read_table(path, [Column("id", INTEGER), Column("name", TEXT)])

    assert str(refusal.value) == message


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_a_path_without_a_file_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UnreadableTable, match=r"cannot be read \(.*\): name an existing file\."):
        read_table(tmp_path / name, columns_of(INTEGER))


def test_a_byte_order_mark_and_windows_line_ends_are_understood(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes('\ufeff"id","name"\r\n1,Côte\r\n\r\n'.encode())

    reading = read_table(path, [Column("id", INTEGER), Column("name", TEXT)])

    assert values(reading) == [[1, "Côte"]]
    assert not reading.problems


def test_unusual_line_separators_stay_in_a_value(read: Read) -> None:
    assert values(read(columns_of(INTEGER, TEXT), "1,a\u2028b\x85c")) == [[1, "a\u2028b\x85c"]]


@pytest.mark.parametrize("columns", [[], columns_of(TEXT) * 2])
def test_columns_must_be_declared_once_each(tmp_path: Path, columns: list[Column]) -> None:
    with pytest.raises(ValueError, match="at least one column"):
        read_table(tmp_path / "table.csv", columns)


def test_a_row_gives_its_values_by_type(read: Read) -> None:
    row = read(columns_of(INTEGER, TEXT), "1,NULL").rows[0]

    assert row.get("c1", int) == 1
    assert row.find("c2", str) is None
    with pytest.raises(TypeError, match=r"^Line 2: c2 is None and not of the type str\.$"):
        row.get("c2", str)
    with pytest.raises(TypeError):
        row.find("c1", str)
