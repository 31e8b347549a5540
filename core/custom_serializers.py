"""Custom fields in the bodies of the API."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.fields import empty

from core.custom_fields import WrongValues, checked, definitions_of


@extend_schema_field({"type": "object", "additionalProperties": True})
class CustomFieldsSerializerField(serializers.JSONField):
    """POST and PUT give all values, PATCH those to change; null takes one away."""

    parent: Any

    def get_value(self, dictionary: Any) -> Any:
        given = super().get_value(dictionary)
        new = self.parent.instance is None and not self.parent.partial
        return {} if given is empty and new else given  # a new row may lack what is required

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, Mapping):
            raise ValidationError("Give an object of values by key.")
        model = self.parent.Meta.model
        before = getattr(self.parent.instance, "custom_fields", {}) if self.parent.partial else None
        try:
            return checked(model, data, before)
        except WrongValues as error:
            known = definitions_of(model)
            wrong: Any = {key: [_detail(key, text, known)] for key, text in error.fields.items()}
            raise ValidationError(wrong[""] if set(wrong) == {""} and "" not in data else wrong) from error


def _detail(key: str, text: str, known: Mapping[str, Any]) -> ErrorDetail:
    return ErrorDetail(text, code="invalid" if key in known or not key else "unknown_field")
