from django.db import models
from django.db.models import F, Q

from core.fields import CurrencyField
from core.models import TenantModel


class ExchangeRate(TenantModel):
    """One unit of `base` is `rate` units of `quote`, from this day until the next that is known."""

    base = CurrencyField()
    quote = CurrencyField()
    valid_on = models.DateField()
    rate = models.DecimalField(max_digits=19, decimal_places=9)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "base", "quote", "valid_on"], name="exchange_rate_once"),
            models.CheckConstraint(
                condition=Q(rate__gt=0), name="exchange_rate_positive", violation_error_message="A rate is above zero.",
            ),
            models.CheckConstraint(
                condition=~Q(base=F("quote")), name="exchange_rate_two_currencies",
                violation_error_message="A rate is between two currencies.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.base}/{self.quote} {self.valid_on}"
