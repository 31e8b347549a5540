from collections.abc import Mapping, Sequence

from core.records import Record
from inventory.management.importing import CODES, FORMATS, TableImport
from inventory.services.parts_tables import parts_tables_import
from inventory.services.table_run import TableRun


class Command(TableImport):
    help = f"Import the tables parts and stock of an earlier parts inventory: {FORMATS}. A second run changes nothing. {CODES}"
    tables = ("parts", "stock")
    reason = "Parts import"

    def write(self, run: TableRun, tables: Mapping[str, Sequence[Record]]) -> None:
        parts_tables_import(run=run, parts=tables["parts"], stock=tables["stock"])
