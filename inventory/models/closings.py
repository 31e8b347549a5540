from django.db import models

from core.fields import SequenceField
from core.models import LedgerModel


class StockClosing(LedgerModel):
    """Through which day the books of the stock are closed. The last row counts; an earlier day in it, or none, reopens."""

    seq = SequenceField()
    closed_through = models.DateField(null=True)
    note = models.CharField(max_length=500, blank=True)
    actor_id = models.UUIDField(null=True)
    api_key_id = models.UUIDField("API key", null=True)

    class Meta:
        permissions = [
            ("close_stockclosing", "Can close periods of the stock"), ("reopen_stockclosing", "Can reopen periods of the stock"),
        ]
        indexes = [models.Index(fields=["organization", "seq"], name="stock_closing_by_seq")]

    def __str__(self) -> str:
        return f"closed through {self.closed_through}" if self.closed_through else "nothing is closed"
