"""How bodies are read and written; a resource's serializer states its model and fields."""

from collections.abc import Mapping
from typing import Any, ClassVar

from django.db import models
from django.utils.functional import cached_property
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.settings import api_settings

from core.characters import CONTROL, REFUSAL
from core.custom_fields import CustomFieldsField
from core.custom_serializers import CustomFieldsSerializerField
from core.errors import Invalid
from core.fields import TenantForeignKey
from core.reading import UtcDateTimeField

JSON_TYPES: tuple[tuple[Any, Any, str], ...] = (
    (serializers.BooleanField, bool, "true or false, without quotes"),
    (serializers.IntegerField, int, "a whole number, without quotes"),
    (serializers.DecimalField, (str, int, float), 'a number, best as text, such as "12.50"'),
    ((serializers.CharField, serializers.UUIDField), str, "text in quotes"),
)


class StrictSerializer(serializers.Serializer):
    """Refuses fields that it does not know, and those that cannot be written. What may be chosen is said."""

    def get_fields(self) -> dict[str, serializers.Field]:
        fields: dict[str, serializers.Field] = super().get_fields()
        for field in fields.values():
            if isinstance(field, serializers.ChoiceField):
                known = ", ".join(str(value) for value in field.choices if value not in ("", None))
                field.error_messages["invalid_choice"] = f'"{{input}}" is none of {known}.'
        return fields

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            if refused := {name: self._refusal(str(name)) for name in data if name not in self._writable_names}:
                raise ValidationError({name: [reason] for name, reason in refused.items()})
            if strange := {name: [reason] for name, value in data.items() if (reason := self._strangeness(name, value))}:
                raise ValidationError(strange)
        return super().to_internal_value(data)

    def _strangeness(self, name: str, value: Any) -> ErrorDetail | None:
        """DRF would take 1 for "1" and "yes" for true; the description promises types, and a mistake should be seen."""
        if isinstance(self.fields[name], serializers.JSONField):
            if _has_nul(value):
                return ErrorDetail("A NUL character cannot be stored.", code="invalid")
        elif isinstance(value, str) and CONTROL.search(value):
            return ErrorDetail(REFUSAL, code="invalid")
        if value is not None and name in self._expected and not _fits(value, self._expected[name][0]):
            return ErrorDetail(f"Give {self._expected[name][1]}.", code="wrong_type")
        return None

    @cached_property
    def _expected(self) -> dict[str, tuple[Any, str]]:
        return {
            str(field.field_name): (types, words)
            for field in self._writable_fields for kind, types, words in JSON_TYPES if isinstance(field, kind)
        }

    @cached_property
    def _writable_names(self) -> set[str]:
        return {str(field.field_name) for field in self._writable_fields}

    def _refusal(self, name: str) -> ErrorDetail:
        if name in self.fields:
            return ErrorDetail("This field is read-only: leave it out.", code="read_only")
        return ErrorDetail(f"Unknown field. Known: {', '.join(sorted(self._writable_names))}.", code="unknown_field")


def _has_nul(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(_has_nul(part) for pair in value.items() for part in pair)
    return any(map(_has_nul, value)) if isinstance(value, list) else isinstance(value, str) and "\0" in value


def _fits(value: Any, types: Any) -> bool:
    """To Python, true is a number."""
    return isinstance(value, types) and (types is bool or not isinstance(value, bool))


class ReferenceField(serializers.UUIDField):
    """The id of another row of the organization. Whether it exists is decided by the composite foreign key."""

    default_error_messages: ClassVar = {"invalid": "Give the id (a UUID) of a row."}


def referenced(model: type[models.Model], name: str, key: Any) -> Any:
    """The row that a field of the body refers to. Raises Invalid, at the field, where there is none in this organization."""
    row = model._default_manager.filter(pk=key).first()
    if row is None:
        detail = f"There is no such {model._meta.verbose_name} in this organization."
        raise Invalid(detail, code="does_not_exist", fields={name: detail})
    return row


class TenantSerializer(StrictSerializer, serializers.ModelSerializer):
    """CRUD for one tenant model. Constraints are left to the database, whose refusals `core.problems` explains."""

    serializer_field_mapping: ClassVar[dict[Any, Any]] = {
        **serializers.ModelSerializer.serializer_field_mapping, models.DateTimeField: UtcDateTimeField,
        CustomFieldsField: CustomFieldsSerializerField,
    }

    def build_relational_field(self, field_name: str, relation_info: Any) -> Any:
        field = relation_info.model_field
        if not isinstance(field, TenantForeignKey):
            return super().build_relational_field(field_name, relation_info)
        options: dict[str, Any] = {"source": field.attname}
        if not field.editable:
            return ReferenceField, {**options, "read_only": True, "allow_null": field.null}
        if field.null:
            options |= {"required": False, "allow_null": True}
        elif field.has_default():
            options["required"] = False
        if field.help_text:
            options["help_text"] = field.help_text
        return ReferenceField, options

    def get_unique_together_validators(self) -> list[Any]:
        return []

    def update(self, instance: models.Model, validated_data: dict[str, Any]) -> models.Model:
        """Writes the given columns alone, so that two clients who change different fields both succeed."""
        for name, value in validated_data.items():
            setattr(instance, name, value)
        instance.save(update_fields=list(validated_data))
        return instance

    def validate_empty_values(self, data: Any) -> Any:
        if self.partial and isinstance(data, Mapping) and not data:
            key = api_settings.NON_FIELD_ERRORS_KEY
            raise ValidationError({key: [ErrorDetail("Give at least one field to change.", code="empty")]})
        return super().validate_empty_values(data)
