from django.db import models

from core.models import RuntimeModel


class SummedField(models.DecimalField):
    """A sum of parts of amounts, before it is rounded."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **{**kwargs, "max_digits": 38, "decimal_places": 16})  # type: ignore[arg-type]


class SalesDay(RuntimeModel):
    """What the orders that were placed on a day add up to, of a channel, a warehouse, a currency and the status they have now.

    Without foreign keys: it is made of orders, which have them, and made anew as they change (ADR 69). `timezone` says whose day
    it is: where the organization has moved to another one, its days are others.
    """

    timezone = models.CharField(max_length=64)
    day = models.DateField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    channel_id = models.UUIDField()
    warehouse_id = models.UUIDField()
    currency = models.CharField(max_length=3)
    status = models.CharField(max_length=10)
    orders = models.PositiveIntegerField()
    total = SummedField(help_text="With tax, shipping and discounts.")
    quantity = SummedField(help_text="Without what was canceled.")
    revenue = SummedField(help_text="Of the goods.")
    adjustments = SummedField()
    costed_revenue = SummedField(null=True, help_text="Of goods whose cost is known; null where there are none.")
    cost = SummedField(null=True)

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "until", "channel_id", "warehouse_id", "currency", "status"], name="sales_day_once",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.day} in {self.currency}, {self.status}"


class SalesDayChange(RuntimeModel):
    """That an order which was placed then has changed since its day was summed, or may have. The database writes it.

    One for each transaction and time, so that nobody waits for anybody.
    """

    placed_at = models.DateTimeField()
    transaction = models.BigIntegerField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["organization", "placed_at", "transaction"], name="sales_day_change_once"),
        ]

    def __str__(self) -> str:
        return f"{self.placed_at}"
