from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import assume, given
from hypothesis import strategies as st

from core.csv_kinds import DATE, DECIMAL, FLAG, INTEGER, TEXT, Kind, Value
from core.dirty_csv import Column, TableReading, read_table

BLANK_FREE = st.characters(exclude_categories=("Cs", "Cc", "Z"), exclude_characters=',"')
WORDS = st.text(BLANK_FREE, min_size=1, max_size=8)
NUMBERS = st.integers(-(10**17), 10**17)
DAYS = st.dates(date(1000, 1, 1))
CELLS: dict[Kind, st.SearchStrategy[Value]] = {
    INTEGER: NUMBERS,
    DECIMAL: st.decimals(-10_000, 10_000, places=2),
    DATE: DAYS,
    FLAG: st.booleans(),
}
ROUGH_TEXTS = st.lists(WORDS, min_size=1, max_size=5).map(", ".join)
ANY_TEXTS = st.lists(WORDS, min_size=1, max_size=3).map(",".join)


def shapes() -> st.SearchStrategy[list[Kind]]:
    return st.lists(st.sampled_from([INTEGER, DECIMAL, DATE, FLAG, TEXT, TEXT, TEXT]), min_size=2, max_size=7)


@st.composite
def tables(draw: st.DrawFn, texts: st.SearchStrategy[str]) -> tuple[list[Kind], list[list[Value]]]:
    shape = draw(shapes())
    cells = [st.none() | CELLS.get(kind, texts) for kind in shape]
    return shape, draw(st.lists(st.tuples(*cells).map(list), min_size=1, max_size=5))


def unquoted(row: list[Value]) -> str:
    return ",".join("NULL" if value is None else str(value) for value in row)


def read_lines(shape: list[Kind], lines: list[str]) -> TableReading:
    columns = [Column(f"c{place}", kind) for place, kind in enumerate(shape, start=1)]
    header = ",".join(column.name for column in columns)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        path.write_text("\n".join([header, *lines]), encoding="utf-8", newline="")
        return read_table(path, columns)


def values(reading: TableReading) -> list[list[Value]]:
    return [list(row.values.values()) for row in reading.rows]


@given(tables(ROUGH_TEXTS))
def test_values_with_a_blank_after_each_comma_are_read_right(
    table: tuple[list[Kind], list[list[Value]]],
) -> None:
    shape, rows = table
    assume(not any("NULL" in str(value) for row in rows for value in row))

    reading = read_lines(shape, [unquoted(row) for row in rows])

    assert values(reading) == rows
    assert not reading.problems
    rough = [line for line, row in enumerate(rows, start=2) if any("," in str(value) for value in row)]
    assert [repair.line for repair in reading.repairs] == rough


@given(tables(ANY_TEXTS))
def test_values_with_any_commas_are_read_right_or_reported(
    table: tuple[list[Kind], list[list[Value]]],
) -> None:
    shape, rows = table
    assume(not any("NULL" in str(value) for row in rows for value in row))

    reading = read_lines(shape, [unquoted(row) for row in rows])

    reported = {problem.line for problem in reading.problems}
    expected = {line: row for line, row in enumerate(rows, start=2) if line not in reported}
    assert {row.line: list(row.values.values()) for row in reading.rows} == expected


@given(st.lists(st.text(st.sampled_from('a1,"\n\r \0NUL.x0'), max_size=30), max_size=8), shapes())
def test_each_line_of_any_file_is_read_or_reported(lines: list[str], shape: list[Kind]) -> None:
    reading = read_lines(shape, lines)

    places = [row.line for row in reading.rows] + [problem.line for problem in reading.problems]
    assert len(places) == len(set(places))
    assert {repair.line for repair in reading.repairs} <= {row.line for row in reading.rows}
