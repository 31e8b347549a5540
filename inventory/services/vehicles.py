"""The import of a vehicle file: year, make and model in each row. The product brings one along."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from uuid_utils.compat import uuid7

from core.csv_kinds import TEXT, matching
from core.dirty_csv import Column, Problem, Row, read_table
from core.errors import Invalid
from core.tenancy import active_organization_id

FILE = Path(__file__).resolve().parents[1] / "data" / "vehicles.csv"
COLUMNS = (
    Column("year", matching("a year from 1880 on", "18[89][0-9]|19[0-9]{2}|2[01][0-9]{2}"), required=True),
    Column("make", TEXT, required=True),
    Column("model", TEXT, required=True),
)
LENGTHS = {"make": 60, "model": 100}  # of the columns

# COPY is refused under row security; arrays take 30,000 rows a second.
ADD = """
    INSERT INTO inventory_vehiclemodel (id, organization_id, make, model, year, engine, trim, vehicle_type, fuel)
    SELECT new.id, %s, new.make, new.model, new.year, '', '', '', ''
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::int[]) AS new(id, make, model, year)
    ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True, slots=True)
class VehicleImport:
    created: int
    unchanged: int
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Choice:
    """Which rows of the file: those of the makes, in capitals or not, and of the years; without any, all."""

    makes: Collection[str] = ()
    year_from: int = 0
    year_to: int = 9999

    def rows(self, found: list[Row]) -> list[Row]:
        """Raises Invalid for a make of which there is no row in those years."""
        wanted = {make.strip().upper() for make in self.makes}
        chosen = [
            row for row in found
            if self.year_from <= int(row.get("year", str)) <= self.year_to
            and (not wanted or row.get("make", str).upper() in wanted)
        ]
        if missing := wanted - {row.get("make", str).upper() for row in chosen}:
            detail = f"The file has no vehicle of {', '.join(sorted(missing))} in those years: look at how it spells the make."
            raise Invalid(detail, fields={"makes": detail})
        return chosen


def vehicles_import(*, path: Path = FILE, choice: Choice = Choice()) -> VehicleImport:
    """Into the active organization, in one statement; a second run changes nothing.

    Raises UnreadableTable, or Invalid for a choice that the file does not have. Rows that cannot be read are reported,
    and the rest goes in.
    """
    reading = read_table(path, COLUMNS)
    problems = list(reading.problems)
    makes, models, years = list[str](), list[str](), list[int]()
    for row in choice.rows(reading.rows):
        if long := next((name for name, most in LENGTHS.items() if len(row.get(name, str)) > most), None):
            problems.append(Problem(path.name, row.line, long, f"{LENGTHS[long]} characters are possible"))
            continue
        makes.append(row.get("make", str))
        models.append(row.get("model", str))
        years.append(int(row.get("year", str)))
    with connection.cursor() as cursor:
        cursor.execute(ADD, [active_organization_id(), [uuid7() for _ in years], makes, models, years])
        created = cursor.rowcount
    return VehicleImport(created, len(years) - created, sorted(problems, key=lambda problem: problem.line))
