from django.core.exceptions import ValidationError
from django.db import models

from core.models import TenantModel


def validate_pattern(pattern: str) -> None:
    try:
        numbers = {pattern.format(year=2026, number=number) for number in (1, 2)}
    except (KeyError, ValueError, IndexError) as error:
        raise ValidationError("Write it like SO-{year}-{number:06}.") from error
    if len(numbers) < 2:
        raise ValidationError("It must contain {number}, like SO-{year}-{number:06}.")


class NumberSequence(TenantModel):
    """The numbers of a kind of document, such as SO-2026-000123."""

    class Reset(models.TextChoices):
        NEVER = "never", "Never"
        YEARLY = "yearly", "Each year"

    document_type = models.SlugField(max_length=40)
    pattern = models.CharField(max_length=60, validators=[validate_pattern])
    next_value = models.PositiveBigIntegerField(default=1)
    reset = models.CharField(max_length=10, choices=Reset, default=Reset.NEVER)
    period = models.PositiveSmallIntegerField(default=0, editable=False, help_text="The year of the last number.")
    gapless = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "document_type"], name="number_sequence_per_type")]

    def __str__(self) -> str:
        return self.document_type
