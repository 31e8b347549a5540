"""How an admin form learns what the database or a service refused."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AutocompleteSelect
from django.core.exceptions import ValidationError
from django.db import Error as DatabaseError
from django.db import models

from core.characters import CONTROL, REFUSAL
from core.constraints import violated
from core.errors import DomainError

CUSTOM = "cf_"  # begins the name of the input of a custom field

type Refusal = Mapping[str, str]  # field, or "" for the row as a whole, and what is wrong with it


def refusal(error: Exception) -> Refusal | None:
    """None where the error is ours, not the user's."""
    if isinstance(error, DomainError):
        fields = getattr(error, "fields", {})
        return {"": error.detail, **{name: text for name, text in fields.items() if " " in text}}
    if isinstance(error, DatabaseError) and (violation := violated(error)):
        return dict.fromkeys(violation.fields or ("",), violation.detail)
    return None


class TenantModelForm(forms.ModelForm):
    """Leaves the constraints to the database, which sees what other people write at the same time."""

    refused: ClassVar[Refusal | None] = None  # set on the class that the admin makes for one request

    def validate_unique(self) -> None:
        """The database does."""

    def validate_constraints(self) -> None:
        """The database does."""

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # private, and the only place after all fields were read
        for name, value in list(self.cleaned_data.items()):
            if isinstance(value, str) and CONTROL.search(value):
                self.add_error(name, REFUSAL)
        for name, text in (self.refused or {}).items():
            self.add_error(name if name in self.fields else None, text)

    def written_fields(self) -> list[str]:
        """The columns that the user changed, so that two people who change different ones both succeed."""
        return changed_columns(self.instance, self.changed_data)


def changed_columns(row: Any, names: list[str]) -> list[str]:
    columns = {field.name for field in row._meta.concrete_fields}
    custom = ["custom_fields"] if any(name.startswith(CUSTOM) for name in names) else []
    return [*(name for name in names if name in columns), *custom]


def is_value(field: models.Field, value: Any) -> bool:
    """Whether a row may have it: what comes with a form or an address may be anything."""
    try:
        field.to_python(value)
    except ValidationError:
        return False
    return "\0" not in str(value)


class ReferenceWidget(AutocompleteSelect):
    """Django's, which asks the database for whatever was sent as a key."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        keys = self.field.target_field
        return super().optgroups(name, [one for one in value if not one or is_value(keys, one)], attr)
