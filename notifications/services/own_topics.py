"""Which topics reach a person, by their own mail and in their inbox."""

from typing import Any, NamedTuple
from uuid import UUID

from django.db import transaction

from accounts.models import Membership, User
from core.errors import Invalid, NotFound
from notifications.channels import Channel
from notifications.models import Topic, TopicSubscription
from notifications.services.inbox import membership_of

OWN_CHANNELS = (Channel.INBOX, Channel.EMAIL)
CONFIRMED, UNSUBSCRIBED = TopicSubscription.Status.CONFIRMED, TopicSubscription.Status.UNSUBSCRIBED


class OwnTopic(NamedTuple):
    topic: Topic
    channels: list[tuple[str, str, bool]]  # each with its name, and whether it reaches the person there

    @property
    def stays(self) -> bool:
        """Who gets a mandatory topic does not leave it."""
        return self.topic.is_mandatory


def own_topics(*, user_id: UUID) -> list[OwnTopic]:
    mine = set(_own(user_id).filter(status=CONFIRMED).values_list("topic_id", "channel"))
    return [
        OwnTopic(topic, [(str(one), str(one.label), (topic.pk, str(one)) in mine) for one in OWN_CHANNELS])
        for topic in Topic.objects.order_by("category", "name")[:200]
    ]


@transaction.atomic
def own_topic_switch(*, user_id: UUID, topic_id: UUID, channel: str, on: bool) -> None:
    """By mail it goes to the person's own address, if that is verified. Raises NotFound, Invalid."""
    member = membership_of(user_id)
    topic = Topic.objects.filter(pk=topic_id).first()
    if topic is None or channel not in OWN_CHANNELS:
        raise NotFound("There is no such topic.")
    if not on:
        if topic.is_mandatory:
            raise Invalid(f"Messages of {topic.name} go to all its subscribers: nobody leaves it.", code="mandatory")
        _own(user_id).filter(topic=topic, channel=channel).update(status=UNSUBSCRIBED)
        return
    user = User.objects.get(pk=user_id)
    if channel == Channel.EMAIL and user.email_verified_at is None:
        raise Invalid("Verify your e-mail address first.")
    if not _own(user_id).filter(topic=topic, channel=channel).update(status=CONFIRMED):
        TopicSubscription.objects.create(
            topic=topic, channel=channel, address=user.email, membership_id=member, status=CONFIRMED,
        )


def _own(user_id: UUID) -> Any:
    return TopicSubscription.objects.filter(membership_id__in=Membership.objects.filter(user_id=user_id).values("pk"))
