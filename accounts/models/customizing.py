from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from accounts.models.people import User
from core.custom_fields import custom_models
from core.custom_values import TYPES, Definition, refuse_slow_pattern
from core.models import TenantModel
from core.objects import LONGEST_TYPE

field_key = RegexValidator(r"^[a-z](?:_?[a-z0-9])*\Z", "Small letters, digits and single underscores, a letter first: colour.")


def validate_custom_model(name: str) -> None:
    if name not in custom_models():
        raise ValidationError(f"{name!r} has no custom fields. Known: {', '.join(sorted(custom_models()))}.")


def validate_field_pattern(pattern: str) -> None:
    try:
        refuse_slow_pattern(pattern)
    except ValueError as error:
        raise ValidationError(str(error)) from error


class CustomFieldDefinition(TenantModel):
    """A field of the organization's own, in the rows of one model; their values are in the column custom_fields."""

    model = models.CharField(
        max_length=LONGEST_TYPE, validators=[validate_custom_model], help_text="Whose field it is, such as inventory.product.",
    )
    key = models.CharField(max_length=40, validators=[field_key], help_text="Its name for programs.")
    label = models.CharField(max_length=100, blank=True, help_text="Its name for people; empty: made from the key.")
    type = models.CharField(max_length=12, choices=list(TYPES.items()), default="text")
    choices = ArrayField(
        models.CharField(max_length=100), default=list, blank=True, size=200, help_text="Of choice and multi-choice.",
    )
    required = models.BooleanField(default=False)
    pattern = models.CharField(
        max_length=200, blank=True, validators=[validate_field_pattern],
        help_text="A regular expression that all of a text must match.",
    )
    help_text = models.CharField(max_length=200, blank=True)
    position = models.PositiveSmallIntegerField(default=0, help_text="Lower ones are shown first.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "model", "key"], name="custom_field_once"),
            models.CheckConstraint(
                condition=Q(type__in=["choice", "multi-choice"], choices__len__gt=0)
                | (~Q(type__in=["choice", "multi-choice"]) & Q(choices=[])),
                name="custom_field_choices",
                violation_error_message="A choice and a multi-choice have choices, and no other type has.",
            ),
            models.CheckConstraint(
                condition=Q(pattern="") | Q(type="text"), name="custom_field_pattern",
                violation_error_message="Only a text has a pattern.",
            ),
        ]

    def __str__(self) -> str:
        return self.label or self.key.replace("_", " ").capitalize()

    def as_definition(self) -> Definition:
        return Definition(self.key, str(self), self.type, tuple(self.choices), self.required, self.pattern, self.help_text)


class SavedFilter(TenantModel):
    """A named view of a list. `query` is the query string of its resource."""

    class Visibility(models.TextChoices):
        PRIVATE = "private", "Private"
        SHARED = "shared", "Shared"

    owner = models.ForeignKey(User, models.PROTECT, related_name="+", editable=False, db_index=False)
    model = models.CharField("list", max_length=LONGEST_TYPE, help_text="Whose list it is, such as inventory.product.")
    name = models.CharField(max_length=100)
    query = models.CharField(max_length=2000, blank=True, help_text="As in the address of the list: status=active&tag=fragile.")
    columns = ArrayField(models.CharField(max_length=60), default=list, blank=True, size=100, help_text="Empty: all fields.")
    sort = models.CharField(max_length=200, blank=True, help_text="As in ?sort=, such as -name.")
    visibility = models.CharField(max_length=8, choices=Visibility, default=Visibility.PRIVATE)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "owner", "model", "name"], name="saved_filter_once")]
        indexes = [models.Index(fields=["organization", "model", "name"], name="saved_filter_by_model")]

    def __str__(self) -> str:
        return self.name
