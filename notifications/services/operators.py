"""What those who run things for an organization must hear of."""

from django.db.models import Q
from django.utils import timezone

from accounts.models import UserRole
from accounts.permissions import ADMIN
from notifications.models import Channel, Topic, TopicSubscription
from notifications.services.messages import OPS_CRITICAL as OPS_CRITICAL
from notifications.services.messages import About, notify, topic_ensure
from notifications.severity import Severity


def operators_tell(*, subject: str, body: str, dedupe_key: str) -> int:
    """Mail the subscribers of ops-critical; as long as it reaches nobody, the Admins become them. Returns how many."""
    topic = operators_topic()
    reached = Q(membership=None) | Q(membership__status="active")
    if not TopicSubscription.objects.filter(reached, topic=topic, status=TopicSubscription.Status.CONFIRMED).exists():
        _subscribe_admins(topic)
    return notify(topic=OPS_CRITICAL, subject=subject, body=body, dedupe_key=dedupe_key, about=About(severity=Severity.WARNING))


def operators_topic() -> Topic:
    return topic_ensure(key=OPS_CRITICAL, name="Trouble in operations", category="operations")


def _subscribe_admins(topic: Topic) -> None:
    admins = UserRole.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=timezone.now()), role__code=ADMIN, membership__status="active",
    ).select_related("membership__user")  # fmt: skip
    TopicSubscription.objects.bulk_create(
        [
            TopicSubscription(
                topic=topic, channel=Channel.EMAIL, address=admin.membership.user.email, membership=admin.membership,
                status=TopicSubscription.Status.CONFIRMED,
            )
            for admin in admins
        ],
        ignore_conflicts=True,
    )  # fmt: skip
