import re
from string import Formatter

from django.core.exceptions import ValidationError
from django.db import models

from core.models import TenantModel


def validate_pattern(pattern: str) -> None:
    """The width has two digits at most: Python would fill any other with as many zeros as are asked for."""
    try:
        fields = [(name, width, conversion) for _, name, width, conversion in Formatter().parse(pattern) if name is not None]
    except ValueError as error:
        raise ValidationError("Write it like SO-{year}-{number:06}.") from error
    for name, width, conversion in fields:
        if name not in ("year", "number") or conversion or not re.fullmatch(r"\d{0,2}", width or ""):
            raise ValidationError("Write it like SO-{year}-{number:06}.")
    if "number" not in {name for name, *_ in fields}:
        raise ValidationError("It must contain {number}, like SO-{year}-{number:06}.")


class NumberSequence(TenantModel):
    """The numbers of a kind of document, such as SO-2026-000123."""

    class Reset(models.TextChoices):
        NEVER = "never", "Never"
        YEARLY = "yearly", "Each year"

    document_type = models.SlugField(max_length=40, db_index=False)
    pattern = models.CharField(max_length=60, validators=[validate_pattern])
    next_value = models.PositiveBigIntegerField(default=1)
    reset = models.CharField(max_length=10, choices=Reset, default=Reset.NEVER)
    period = models.PositiveSmallIntegerField(default=0, editable=False, help_text="The year of the last number.")
    gapless = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "document_type"], name="number_sequence_per_type")]

    def __str__(self) -> str:
        return self.document_type
