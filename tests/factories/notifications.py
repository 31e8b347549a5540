from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from notifications.models import Job, JobAttempt, NotificationDelivery, OutboxEvent, Topic, TopicSubscription
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


class JobAttemptFactory(DjangoModelFactory):
    job = factory.SubFactory(JobFactory)
    number = factory.Sequence(lambda number: number + 1)
    started_at = factory.LazyFunction(timezone.now)
    outcome = JobAttempt.Outcome.FAILED
    error = "ValueError: no"
    duration_ms = 12

    class Meta:
        model = JobAttempt
