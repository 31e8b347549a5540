"""Events that the database tells itself: an object was created, updated, deleted or restored.

A row trigger writes them into the outbox, so that the ORM, bulk statements and raw SQL are seen alike. An app declares
its objects in `<app>/events.py`, one line each; `migrate` then makes the function and the trigger, as facts of the wall.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from django.apps import apps
from django.db import models
from django.db.models import Field, GeneratedField
from django.utils.module_loading import autodiscover_modules

from core.models import ArchivableModel
from core.wall import UNVERSIONED
from core.wall_sql import Function, Trigger
from notifications.event_types import SOME_TIME, EventType, declare
from notifications.queries.envelopes import ORIGIN, OUTBOX, causes

# Whose change alone is no news.
SILENT = ("version", "updated_at")
ROW_TIMES = ("created_at", "updated_at", "version")  # shown last
TRIGGER = "wall_events"

SUMMARIES = {
    "created": "A {0} came to be.", "updated": "A {0} changed: `changed` names what.",
    "deleted": "A {0} is no more{1}; `object` is how it was at the end.", "restored": "A {0} is back from the archive.",
}
JSON_KINDS: tuple[tuple[type[Field], dict[str, Any], Any], ...] = (
    (models.UUIDField, {"type": "string", "format": "uuid"}, None),
    (models.DecimalField, {"type": "number"}, 1.5),
    (models.BooleanField, {"type": "boolean"}, True),
    (models.DateTimeField, {"type": "string", "format": "date-time"}, SOME_TIME),
    (models.DateField, {"type": "string", "format": "date"}, SOME_TIME[:10]),
    (models.IntegerField, {"type": "integer"}, 1),
    (models.JSONField, {}, {}),
    (models.Field, {"type": "string"}, ""),
)


@dataclass(frozen=True)
class ObjectEvents:
    model: type[models.Model]
    name: str
    also: Collection[str] = ()  # generated columns that are told nevertheless
    only: Collection[str] = ()  # the fields that are told, if not all
    named: Collection[str] = ()  # fields of whose change is told, and not what they hold

    @cached_property
    def fields(self) -> list[Field]:
        """What an image holds."""
        return [field for field in self.watched if field.name not in self.named]

    @cached_property
    def watched(self) -> list[Field]:
        """Without what is secret, what the database makes of other columns, and what no answer shows."""
        left_out = {"organization", *getattr(self.model, "audit_redacted", ()), *getattr(self.model, "audit_ignored", ())}
        found = []
        for field in self.model._meta.local_concrete_fields:
            is_silent = isinstance(field, GeneratedField) or field.name in left_out or field.column in UNVERSIONED
            if field.name in self.also or field.name in self.only or not (self.only or is_silent):
                found.append(field)
        return sorted(found, key=lambda field: (field.name != "id", field.name in ROW_TIMES))

    @property
    def verbs(self) -> list[str]:
        return [verb for verb in SUMMARIES if verb != "restored" or self.is_archivable]

    @property
    def is_archivable(self) -> bool:
        return issubclass(self.model, ArchivableModel)

    def image(self, row: str) -> str:
        """SQL of the object as JSON; references by the names of their fields."""
        pairs = [f"'{field.name}', {row}.{field.column}" for field in self.fields]
        parts = [", ".join(pairs[at:at + 40]) for at in range(0, len(pairs), 40)]  # a function takes 100 arguments
        return " || ".join(f"jsonb_build_object({part})" for part in parts)

    def changed(self) -> str:
        """SQL of the names of the fields in which OLD and NEW differ."""
        told = [field for field in self.watched if field.name not in SILENT and not isinstance(field, GeneratedField)]
        cases = [f"CASE WHEN OLD.{one.column} IS DISTINCT FROM NEW.{one.column} THEN '{one.name}' END" for one in told]
        return f"array_remove(ARRAY[{', '.join(cases)}]::text[], NULL)"

    def schema(self, verb: str) -> dict[str, Any]:
        properties = {field.name: _schema(field) for field in self.fields}
        image = {"type": "object", "properties": properties, "required": list(properties)}
        names = [field.name for field in self.watched]
        changed = {"type": "array", "items": {"enum": names}, "minItems": 1, "description": "The fields that changed."}
        whole = {"object": image, **({"changed": changed} if verb == "updated" else {})}
        return {"type": "object", "properties": whole, "required": list(whole)}

    def example(self, verb: str, given: Mapping[str, Any]) -> dict[str, Any]:
        image = {field.name: given[field.name] if field.name in given else _example(field) for field in self.fields}
        if verb == "updated":
            return {"object": {**image, "version": 2}, "changed": [next(iter(given), self.fields[-1].name)]}
        if verb == "deleted" and self.is_archivable:
            return {"object": {**image, "archived_at": SOME_TIME}}
        return {"object": image}

    def types(self, given: Mapping[str, Any], declared_in: str) -> Iterator[EventType]:
        label = str(self.model._meta.verbose_name)
        for verb in self.verbs:
            summary = SUMMARIES[verb].format(label, ", or in the archive" if self.is_archivable else "")
            yield EventType(
                f"{self.name}.{verb}", self.name, summary, self.example(verb, given), declared_in, given_schema=self.schema(verb),
            )

    @property
    def function(self) -> Function:
        return Function(f"tell_{self.name}()", "trigger", _BODY.format(
            changed=self.changed(), name=self.name, outbox=OUTBOX, origin=ORIGIN, causes=causes("origin"),
            new=self.image("NEW"), old=self.image("OLD"), archiving=_ARCHIVING if self.is_archivable else "",
        ))

    @property
    def triggers(self) -> list[Trigger]:
        return [Trigger(self.model._meta.db_table, TRIGGER, "AFTER INSERT OR DELETE OR UPDATE", self.function.signature)]


_BODY = """
DECLARE
    verb text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'UPDATE' THEN 'updated' ELSE 'deleted' END;
    payload jsonb;
    names text[];
    origin jsonb;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        names := {changed};
        IF names = '{{}}' THEN
            RETURN NULL;
        END IF;
    END IF;{archiving}
    IF TG_OP = 'DELETE' THEN
        payload := jsonb_build_object('object', {old});
    ELSIF verb = 'updated' THEN
        payload := jsonb_build_object('object', {new}, 'changed', names);
    ELSE
        payload := jsonb_build_object('object', {new});
    END IF;
    origin := {origin};{outbox}
    VALUES (uuid7(), COALESCE(NEW.organization_id, OLD.organization_id), 'default', '{name}.' || verb, 1, '{name}',
            COALESCE(NEW.id, OLD.id), payload, {causes});
    RETURN NULL;
END
"""
# Into the archive is told as gone, and what is gone from there as nothing.
_ARCHIVING = """
    IF TG_OP = 'UPDATE' AND (OLD.archived_at IS NULL) <> (NEW.archived_at IS NULL) THEN
        verb := CASE WHEN NEW.archived_at IS NULL THEN 'restored' ELSE 'deleted' END;
    ELSIF TG_OP = 'DELETE' AND OLD.archived_at IS NOT NULL THEN
        RETURN NULL;
    END IF;"""

_objects: dict[str, ObjectEvents] = {}


def object_events(
    model: type[models.Model], *, name: str = "", example: Mapping[str, Any] | None = None, also: Collection[str] = (),
    named: Collection[str] = (),
) -> ObjectEvents:
    """Have the database tell the changes of a model's rows; `example` holds fields as they could be.

    Of the fields `named` it tells that they changed, and not what they hold: who may see that asks for the row.
    """
    told = ObjectEvents(model, name or str(model._meta.model_name), also, named=named)
    for declared in told.types(example or {}, _home(model)):
        declare(declared)
    _objects[told.name] = told
    return told


def objects() -> dict[str, ObjectEvents]:
    autodiscover_modules("events")
    return dict(_objects)


def _home(model: type[models.Model]) -> str:
    return apps.get_app_config(model._meta.app_label).name


def _kind(field: Field) -> tuple[dict[str, Any], Any]:
    if isinstance(field, GeneratedField):
        return _kind(field.output_field)  # type: ignore[arg-type]  # a stored column's expression has one
    if isinstance(field, models.ForeignKey):
        return _kind(field.target_field)
    return next((schema, example) for kind, schema, example in JSON_KINDS if isinstance(field, kind))


def _schema(field: Field) -> dict[str, Any]:
    schema = dict(_kind(field)[0])
    if field.null and schema:
        schema["type"] = [schema["type"], "null"]
    if field.help_text:
        schema["description"] = str(field.help_text)
    return schema


def _example(field: Field) -> Any:
    if field.null:
        return None
    if isinstance(field, models.UUIDField | models.ForeignKey):
        return str(uuid5(NAMESPACE_OID, field.name))
    if field.has_default() and not callable(field.default) and isinstance(field.default, str | int | bool):
        return field.default
    return _kind(field)[1]
