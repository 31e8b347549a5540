from typing import Any
from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from notifications.models import (
    Alert,
    AlertRule,
    ChannelConfig,
    DeliveryAttempt,
    EventDelivery,
    EventSubscription,
    ExternalCacheEntry,
    ExternalSource,
    ExternalSubject,
    InboundSource,
    InboundWebhook,
    Job,
    JobAttempt,
    Notification,
    NotificationDelivery,
    NotificationPreference,
    OutboxEvent,
    Topic,
    TopicSubscription,
    Watch,
    WatchHit,
    WebhookEndpoint,
)
from notifications.services.external_sources import external_source_create
from notifications.services.inbound_sources import inbound_source_create
from notifications.services.webhooks import secret_make, secret_seal
from tests.factories.accounts import MembershipFactory


class OutboxEventFactory(DjangoModelFactory):
    type = factory.Sequence("thing.happened_{}".format)
    aggregate_type = factory.Sequence("thing_{}".format)
    aggregate_id = factory.LazyFunction(uuid4)
    payload = factory.Sequence(lambda number: {"number": number})

    class Meta:
        model = OutboxEvent


class TopicFactory(DjangoModelFactory):
    key = factory.Sequence("topic-{}".format)
    name = factory.Sequence("Topic {}".format)

    class Meta:
        model = Topic


class TopicSubscriptionFactory(DjangoModelFactory):
    topic = factory.SubFactory(TopicFactory)
    address = factory.Sequence("subscriber{}@example.test".format)
    membership = factory.SubFactory(MembershipFactory)
    status = TopicSubscription.Status.CONFIRMED

    class Meta:
        model = TopicSubscription


class NotificationDeliveryFactory(DjangoModelFactory):
    subscription = factory.SubFactory(TopicSubscriptionFactory)
    dedupe_key = factory.Sequence("news-{}".format)
    channel = "email"
    address = factory.Sequence("subscriber{}@example.test".format)
    subject = "News"
    body = "Something happened."

    class Meta:
        model = NotificationDelivery


class JobFactory(DjangoModelFactory):
    task = factory.Sequence("tests.notifications.playground.tasks.job_{}".format)
    arguments = factory.LazyFunction(lambda: {"args": [], "kwargs": {}})
    origin = factory.LazyFunction(dict)
    parent = factory.LazyFunction(lambda: Job.objects.create(task="Steps", arguments={"args": [], "kwargs": {}}, origin={}))

    class Meta:
        model = Job


class WebhookEndpointFactory(DjangoModelFactory):
    name = factory.Sequence("Endpoint {}".format)
    url = factory.Sequence("https://receiver{}.example.test/hooks".format)
    secret = factory.LazyFunction(lambda: secret_seal(secret_make()))

    class Meta:
        model = WebhookEndpoint


class EventSubscriptionFactory(DjangoModelFactory):
    """To an endpoint, unless a topic or a task is given."""

    name = factory.Sequence("Subscription {}".format)
    pattern = factory.LazyFunction(lambda: {"type": [{"prefix": "thing."}]})
    target_kind = factory.LazyAttribute(lambda row: "topic" if row.topic else "task" if row.task else "webhook")
    topic = None
    task = ""
    endpoint = factory.Maybe("to_endpoint", factory.SubFactory(WebhookEndpointFactory), None)

    class Params:
        to_endpoint = factory.LazyAttribute(lambda row: not (row.topic or row.task))

    class Meta:
        model = EventSubscription


class EventDeliveryFactory(DjangoModelFactory):
    event = factory.SubFactory(OutboxEventFactory)
    subscription = factory.SubFactory(EventSubscriptionFactory)
    aggregate_id = factory.LazyAttribute(lambda row: row.event.aggregate_id)
    seq = factory.Sequence(lambda number: number + 1)
    status = EventDelivery.Status.DEAD

    class Meta:
        model = EventDelivery


class DeliveryAttemptFactory(DjangoModelFactory):
    delivery = factory.SubFactory(EventDeliveryFactory)
    number = factory.Sequence(lambda number: number % 30_000 + 1)
    status_code = 500
    error = "It answered 500."
    duration_ms = 12

    class Meta:
        model = DeliveryAttempt


class InboundSourceFactory(DjangoModelFactory):
    key = factory.Sequence("source-{}".format)
    name = factory.Sequence("Source {}".format)
    scheme = "github"

    class Meta:
        model = InboundSource

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> InboundSource:
        return inbound_source_create(**values).row


class InboundWebhookFactory(DjangoModelFactory):
    source = factory.SubFactory(InboundSourceFactory)
    external_id = factory.Sequence("delivery-{}".format)
    type = factory.Sequence("thing.happened_{}".format)
    signature_ok = True
    headers = factory.LazyFunction(lambda: {"content-type": "application/json"})
    payload = factory.Sequence(lambda number: {"number": number})
    body_hash = "0" * 64

    class Meta:
        model = InboundWebhook


class JobAttemptFactory(DjangoModelFactory):
    job = factory.SubFactory(JobFactory)
    number = factory.Sequence(lambda number: number + 1)
    started_at = factory.LazyFunction(timezone.now)
    outcome = JobAttempt.Outcome.FAILED
    error = "ValueError: no"
    duration_ms = 12

    class Meta:
        model = JobAttempt


class NotificationFactory(DjangoModelFactory):
    recipient = factory.SubFactory(MembershipFactory)
    category = "operations"
    title = factory.Sequence("Something happened {}".format)
    dedupe_key = factory.Sequence("thing-{}".format)

    class Meta:
        model = Notification


class NotificationPreferenceFactory(DjangoModelFactory):
    membership = factory.SubFactory(MembershipFactory)
    category = factory.Sequence("category-{}".format)
    channel = "email"
    mode = "daily"

    class Meta:
        model = NotificationPreference


class ChannelConfigFactory(DjangoModelFactory):
    """Switched off: of a channel one is on."""

    channel = "email"
    provider = "console"
    from_address = "orders@example.test"
    host = "smtp.example.com"
    username = factory.Sequence("sender-{}".format)
    is_active = False

    class Meta:
        model = ChannelConfig


class AlertRuleFactory(DjangoModelFactory):
    name = factory.Sequence("Rule {}".format)
    metric = "dead_letters"
    topic = factory.SubFactory(TopicFactory)

    class Meta:
        model = AlertRule


class AlertFactory(DjangoModelFactory):
    rule = factory.SubFactory(AlertRuleFactory)
    fingerprint = factory.LazyAttribute(lambda row: str(row.rule.pk))
    title = factory.Sequence("Rule {}: above 0".format)
    severity = "warning"
    status = "open"
    value = 3
    opened_at = factory.LazyFunction(timezone.now)
    acknowledged_by = factory.SubFactory(MembershipFactory)

    class Meta:
        model = Alert


class ExternalSourceFactory(DjangoModelFactory):
    name = factory.Sequence("Source {}".format)
    base_url = factory.Sequence("https://prices{}.example.test/v1".format)
    kinds = factory.LazyFunction(lambda: {"price": {"path": "/prices/{id}", "value": "price"}})

    class Meta:
        model = ExternalSource

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> ExternalSource:
        return external_source_create(**values)


class ExternalSubjectFactory(DjangoModelFactory):
    source = factory.SubFactory(ExternalSourceFactory)
    kind = "price"
    external_id = factory.Sequence("part-{}".format)
    label = factory.Sequence("Part {}".format)

    class Meta:
        model = ExternalSubject


class ExternalCacheEntryFactory(DjangoModelFactory):
    source = factory.SubFactory(ExternalSourceFactory)
    cache_key = factory.Sequence("price:part-{}".format)
    found = True
    payload = factory.LazyFunction(lambda: {"price": 12.5})
    fetched_at = factory.LazyFunction(timezone.now)

    class Meta:
        model = ExternalCacheEntry


class WatchFactory(DjangoModelFactory):
    membership = factory.SubFactory(MembershipFactory)
    subject = factory.SubFactory(ExternalSubjectFactory)

    class Meta:
        model = Watch


class WatchHitFactory(DjangoModelFactory):
    watch = factory.SubFactory(WatchFactory)
    fingerprint = factory.Sequence("{:064}".format)
    before = 12
    after = 13

    class Meta:
        model = WatchHit
