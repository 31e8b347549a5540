"""The demo's vehicle-parts company, filled from the files in demo/."""

from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from django.utils import timezone

from inventory.services.demo_catalog import catalog_describe
from inventory.services.demo_counts import counts_create
from inventory.services.demo_fitments import fitments_create
from inventory.services.demo_lots import lots_create
from inventory.services.demo_month import Month
from inventory.services.demo_parts import parts_create
from inventory.services.demo_prices import prices_create
from inventory.services.demo_transfers import transfers_create
from inventory.services.forecasts import forecasts_compute
from inventory.services.vehicles import vehicles_import

FOLDER = Path(__file__).resolve().parents[2] / "demo"
LISBON = ZoneInfo("Europe/Lisbon")

type Say = Callable[[str], object]


def autoparts_fill(say: Say) -> None:
    say("  vehicle models")
    vehicles_import()
    say("  parts, suppliers and warehouses")
    parts = parts_create(folder=FOLDER / "autoparts")
    fitments_create(file=FOLDER / "autoparts" / "fitments.csv")
    catalog_describe()
    say("  prices and taxes")
    prices_create()
    say("  a month of trade")
    today = timezone.localdate(timezone=LISBON)
    Month(parts, today=today, zone=LISBON).play()
    lots_create(today=today, zone=LISBON)
    say("  goods in transit")
    transfers_create(today=today)
    counts_create()
    forecasts_compute()
