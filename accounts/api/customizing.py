from typing import Any

from django.db import models
from django.http import Http404
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import CustomFieldDefinition, SavedFilter
from accounts.services.customizing import definition_delete, definition_save, filter_owner, refuse_other_owner, values_clear
from core.api import TenantViewSet
from core.choosing import Conditions
from core.errors import Invalid
from core.problems import BadParameter
from core.reading import BASE
from core.routing import resources
from core.saved_filters import saved_query
from core.serializers import TenantSerializer
from core.tenancy import active_scope


class CustomFieldDefinitionSerializer(TenantSerializer):
    class Meta:
        model = CustomFieldDefinition
        fields = [
            "id", "model", "key", "label", "type", "choices", "required", "pattern", "help_text", "position",
            "created_at", "updated_at", "version",
        ]


class CustomFieldDefinitionViewSet(TenantViewSet):
    """A definition whose values are in rows keeps its model, key and type, and is not deleted before they are cleared."""

    serializer_class = CustomFieldDefinitionSerializer
    filters = ["model"]
    bulk_operations = ()
    no_bulk = "Each definition is weighed against the values that rows have: write them one by one."

    def save(self, serializer: Any) -> models.Model:
        row = serializer.instance or CustomFieldDefinition()
        for name, value in serializer.validated_data.items():
            setattr(row, name, value)
        return definition_save(definition=row)

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        definition_delete(definition=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @action(detail=True, methods=["post"], body_class=None, permission="accounts.delete_customfielddefinition")
    def clear(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Takes the field's value away from every row that has one."""
        row = self.get_object()
        values_clear(definition=row)
        return Response(self.read_row(row.pk))


class SavedFilterSerializer(TenantSerializer):
    class Meta:
        model = SavedFilter
        fields = [
            "id", "owner", "model", "name", "query", "columns", "sort", "visibility", "created_at", "updated_at", "version",
        ]
        read_only_fields = ["owner"]


class SavedFilterViewSet(TenantViewSet):
    """One's own and those that others share; each is changed by its owner alone."""

    serializer_class = SavedFilterSerializer
    filters = ["model"]
    bulk_operations = ()
    no_bulk = "Each filter is tried on its list first: save them one by one."

    def row_conditions(self) -> Conditions:
        person = active_scope().origin.actor_id
        return [*super().row_conditions(), (f"({BASE}.visibility = 'shared' OR {BASE}.owner_id = %s)", [person])]

    def get_object(self) -> SavedFilter:
        row: SavedFilter = super().get_object()
        if row.visibility == SavedFilter.Visibility.PRIVATE and row.owner_id != active_scope().origin.actor_id:
            raise Http404
        refuse_other_owner(row)
        return row

    def save(self, serializer: Any) -> models.Model:
        row = serializer.instance or SavedFilter(owner_id=filter_owner())
        for name, value in serializer.validated_data.items():
            setattr(row, name, value)
        refuse_misfit(row, self.request)
        row.save(update_fields=None if serializer.instance is None else list(serializer.validated_data))
        return row


def refuse_misfit(row: SavedFilter, request: Any) -> None:
    """Raises Invalid if the list could not be asked for in this way."""
    if row.model not in resources():
        sentence = f"{row.model!r} has no list. Known: {', '.join(sorted(resources()))}."
        raise Invalid(sentence, fields={"model": sentence})
    view = resources()[row.model](request=request, kwargs={})
    try:
        view.refuse_misfit(saved_query(row))
    except BadParameter as error:
        field = {"sort": "sort", "fields": "columns"}.get(error.parameter, "query")
        raise Invalid(error.sentence, code="invalid_parameter", fields={field: error.sentence}) from error


routes = {"custom-field-definitions": CustomFieldDefinitionViewSet, "saved-filters": SavedFilterViewSet}
