from core.retention import DataClass

DATA_CLASSES = [
    DataClass(
        "demand-forecasts", "Demand forecasts of weeks that are over", 730, "inventory_demandforecast",
        "t.period_start < %(before)s",
    ),
]  # fmt: skip
