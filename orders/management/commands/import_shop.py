from collections.abc import Mapping, Sequence

from core.records import Record
from inventory.management.importing import CODES, FORMATS, TableImport
from inventory.services.shop_items import shop_items_import
from inventory.services.table_run import TableRun
from orders.services.shop_orders import shop_orders_import


class Command(TableImport):
    help = f"Import the tables items and orders of an earlier shop: {FORMATS}. A second run changes nothing. {CODES}"
    tables = ("items", "orders")
    reason = "Shop import"
    remark = "Orders are documents of the past: they post no stock and tell nobody. Placed ones wait for goods."

    def write(self, run: TableRun, tables: Mapping[str, Sequence[Record]]) -> None:
        shop_items_import(run=run, records=tables["items"])
        shop_orders_import(run=run, records=tables["orders"])
