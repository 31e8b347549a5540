from core.api import ReadViewSet, TenantViewSet
from core.serializers import TenantSerializer
from notifications.models import NotificationDelivery, Topic, TopicSubscription


class TopicSerializer(TenantSerializer):
    class Meta:
        model = Topic
        fields = ["id", "key", "name", "category", "is_mandatory", "created_at", "updated_at", "version"]


class TopicViewSet(TenantViewSet):
    serializer_class = TopicSerializer
    filters = ["key"]
    search_keys = ["name_key"]


class TopicSubscriptionSerializer(TenantSerializer):
    class Meta:
        model = TopicSubscription
        fields = ["id", "topic", "channel", "address", "membership", "status", "created_at", "updated_at", "version"]


class TopicSubscriptionViewSet(TenantViewSet):
    serializer_class = TopicSubscriptionSerializer
    filters = ["topic", "membership"]


class NotificationDeliverySerializer(TenantSerializer):
    class Meta:
        model = NotificationDelivery
        fields = [
            "id", "subscription", "dedupe_key", "channel", "address", "subject", "body", "status", "attempts", "sent_at", "error",
            "created_at",
        ]


class NotificationDeliveryViewSet(ReadViewSet):
    serializer_class = NotificationDeliverySerializer
    filters = ["subscription", "status"]
    ordering = ["-id"]


routes = {
    "topics": TopicViewSet,
    "topic-subscriptions": TopicSubscriptionViewSet,
    "notification-deliveries": NotificationDeliveryViewSet,
}
