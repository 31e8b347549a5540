from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.core.management.base import CommandError, CommandParser

from accounts.models import Organization
from config.importing import ResourceImport
from core.errors import Invalid
from core.record_mapping import BadMapping, TableMapping, read_mapping
from core.records import Record
from core.tenancy import active_organization_id
from inventory.management.importing import CODES, FORMATS, TableImport
from inventory.services.table_run import TableRun


class Command(TableImport):
    help = (
        f"Import tables of another system as a mapping says: which records become rows of which resource. {FORMATS}."
        f" A second run changes nothing. {CODES}"
    )
    reason = "Import of tables"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("mapping", type=Path, help="a TOML file: docs/guide/importing-older-tables.md says what stands in it")
        self.add_general_arguments(parser)

    def handle(self, *args: Any, organization: str, dry_run: bool = False, **options: Any) -> None:
        try:
            self.mappings: Sequence[TableMapping] = read_mapping(options["mapping"])
        except BadMapping as error:
            raise CommandError(f"Nothing was imported. {error}", returncode=2) from error
        self.take(organization, {one.source: one.files for one in self.mappings}, dry_run=dry_run)

    def write(self, run: TableRun, tables: Mapping[str, Sequence[Record]]) -> None:
        zone = ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id()))
        try:
            imports = [ResourceImport(run, one, zone) for one in self.mappings]
        except BadMapping as error:
            raise Invalid(str(error)) from error
        for one in imports:
            one.take(tables[one.mapping.source])
