"""What webhooks tell, and people's events, which stand here because accounts is below; and what the database needs to tell
all objects'.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from accounts.models import User
from core.wall_sql import Function, Trigger
from notifications.event_types import SOME_ID, SOME_TIME, EventType, declare, event_type
from notifications.object_events import TRIGGER, ObjectEvents, objects
from notifications.queries.envelopes import ORIGIN, OUTBOX, causes


@event_type("webhook_endpoint.disabled", aggregate="webhook_endpoint", example={
    "name": "Shop", "url": "https://shop.example.com/…", "reason": "It answered 410 Gone.", "by_itself": True,
})  # fmt: skip
class WebhookEndpointDisabled:
    """An endpoint is told of no more events until somebody enables it."""

    name: str
    url: Annotated[str, "Without its path, which may be a secret."]
    reason: str
    by_itself: Annotated[bool, "Whether it failed too long or was gone, so that nobody had to ask for it."]


@event_type("webhook.delivered", aggregate="event_delivery", example={
    "endpoint": SOME_ID, "purpose": "warehouse", "event": SOME_ID, "type": "order.placed", "aggregate_type": "sales_order",
    "aggregate": SOME_ID,
})  # fmt: skip
class WebhookDelivered:
    """A partner, an endpoint with a purpose, has taken an event; of this type itself nothing is told again."""

    endpoint: UUID
    purpose: str
    event: UUID
    type: Annotated[str, "Of the event that it took."]
    aggregate_type: str
    aggregate: Annotated[UUID, "What that event is about."]


@event_type("inbound_webhook.received", aggregate="inbound_webhook", example={
    "source": "carrier", "type": "tracker.updated", "external_id": "evt_1", "payload": {"status": "delivered"}, "is_whole": True,
})  # fmt: skip
class InboundWebhookReceived:
    """A webhook came in that no code takes; a subscription may."""

    source: Annotated[str, "The key of the inbound source."]
    type: str
    external_id: str
    payload: Annotated[Any, "What was sent; null where it is too large to be told."]
    is_whole: Annotated[bool, "Whether the payload stands here."]


@event_type("alert.opened", aggregate="alert", example={
    "rule": SOME_ID, "title": "Dead letters: above 0", "metric": "dead_letters", "severity": "critical", "value": 3,
    "threshold": 0,
})  # fmt: skip
class AlertOpened:
    """The condition of an alert rule holds, for as long as the rule demands."""

    rule: UUID
    title: str
    metric: str
    severity: Annotated[str, "info, warning or critical."]
    value: Decimal
    threshold: Decimal


@event_type("alert.resolved", aggregate="alert", example={
    "rule": SOME_ID, "title": "Dead letters: above 0", "severity": "critical", "opened_at": SOME_TIME,
})  # fmt: skip
class AlertResolved:
    """The condition holds no longer, or its rule is gone."""

    rule: Annotated[UUID | None, "Null once the rule is deleted."]
    title: str
    severity: str
    opened_at: datetime


@event_type("watch.hit", aggregate="watch", example={
    "hit": SOME_ID, "watch": SOME_ID, "name": "Copper", "condition": "crosses", "source": "Price feed", "kind": "price",
    "external_id": "copper", "label": "Copper, a kilogram", "before": 12.4, "after": 12.6,
})  # fmt: skip
class WatchHitFound:
    """What somebody watches in the data of another system has happened."""

    hit: UUID
    watch: UUID
    name: Annotated[str, "Of the watch; may be empty."]
    condition: Annotated[str, "changed, crosses, appears or disappears."]
    source: Annotated[str, "The name of the external source."]
    kind: str
    external_id: Annotated[str, "The id at the source."]
    label: Annotated[str, "The subject's name for people."]
    before: Annotated[Any, "Null: it was not there, or had not been looked at."]
    after: Annotated[Any, "Null: it is not there."]


PERSON = ObjectEvents(User, "user", only=(
    "id", "email", "name", "age", "phone", "locale", "timezone", "is_active", "created_at", "updated_at", "version",
))  # fmt: skip
EXAMPLE = {"name": "Ada Lovelace", "email": "ada@example.com"}
SUMMARIES = {
    "created": "Somebody became a member.", "updated": "A member's record changed: `changed` names what.",
    "deleted": "Somebody is a member no more. Only the id is told.", "restored": "Somebody is a member again.",
}

# A person is told to each organization of which they are an active member, and is there while they are one and are not
# archived. Who leaves is not named again, so that an erasure leaves nothing behind in the event that it causes.
# The membership's change waits for the person's row: what is told of somebody is in order. Runs as the owner, because
# a person's other organizations are invisible from here.
TELL_USER = Function("tell_user()", "trigger", f"""
DECLARE
    person accounts_user;
    organization uuid;
    was boolean := false;
    is_now boolean := false;
    verb text := 'restored';
    names text[];
BEGIN
    IF TG_TABLE_NAME = 'accounts_user' THEN
        person := NEW;
        names := {PERSON.changed()};
        was := OLD.archived_at IS NULL;
        is_now := NEW.archived_at IS NULL;
        IF was = is_now AND (names = '{{}}' OR NOT was) THEN
            RETURN NULL;
        END IF;
    ELSE
        organization := COALESCE(NEW.organization_id, OLD.organization_id);
        was := TG_OP <> 'INSERT' AND OLD.status = 'active';
        is_now := TG_OP <> 'DELETE' AND NEW.status = 'active';
        IF was = is_now THEN
            RETURN NULL;
        END IF;
        SELECT * INTO person FROM accounts_user WHERE id = COALESCE(NEW.user_id, OLD.user_id) FOR NO KEY UPDATE;
        IF person.archived_at IS NOT NULL THEN
            RETURN NULL;
        END IF;
        IF TG_OP = 'INSERT' OR OLD.status = 'invited' THEN
            verb := 'created';
        END IF;
    END IF;
    IF was THEN
        verb := CASE WHEN is_now THEN 'updated' ELSE 'deleted' END;
    END IF;{OUTBOX}
    SELECT uuid7(), told.organization_id, 'default', 'user.' || verb, 1, 'user', person.id,
           CASE verb WHEN 'deleted' THEN jsonb_build_object('object', jsonb_build_object('id', person.id))
                     WHEN 'updated' THEN jsonb_build_object('object', {PERSON.image("person")}, 'changed', names)
                     ELSE jsonb_build_object('object', {PERSON.image("person")}) END,
           {causes(ORIGIN)}
    FROM (SELECT m.organization_id FROM accounts_membership AS m
          WHERE organization IS NULL AND m.user_id = person.id AND m.status = 'active'
          UNION ALL SELECT organization WHERE organization IS NOT NULL) AS told;
    RETURN NULL;
END
""", definer=True)
TRIGGERS = (
    Trigger("accounts_user", TRIGGER, "AFTER UPDATE", TELL_USER.signature),
    Trigger("accounts_membership", TRIGGER, "AFTER INSERT OR DELETE OR UPDATE", TELL_USER.signature),
)


def _types() -> Iterator[EventType]:
    only_id = {"type": "object", "properties": {"id": PERSON.schema("created")["properties"]["object"]["properties"]["id"]},
               "required": ["id"]}  # fmt: skip
    gone = {"type": "object", "properties": {"object": only_id}, "required": ["object"]}
    for verb, summary in SUMMARIES.items():
        schema = gone if verb == "deleted" else PERSON.schema(verb)
        example = {"object": {"id": SOME_ID}} if verb == "deleted" else PERSON.example(verb, EXAMPLE)
        yield EventType(f"user.{verb}", "user", summary, example, "accounts", given_schema=schema)


for _type in _types():
    declare(_type)


def functions() -> list[Function]:
    return [TELL_USER, *(one.function for one in objects().values())]


def triggers() -> list[Trigger]:
    return [*TRIGGERS, *(trigger for one in objects().values() for trigger in one.triggers)]
