from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.api import TenantViewSet
from core.serializers import StrictSerializer, TenantSerializer
from notifications.models import ChannelConfig
from notifications.services.sending import channel_config_write, sent_today
from notifications.services.sending_tests import channel_config_test


class ChannelConfigSerializer(TenantSerializer):
    secret = serializers.CharField(
        max_length=500, required=False, write_only=True, trim_whitespace=False,
        help_text="The password, or the secret of Amazon's access key; kept sealed and never shown.",
    )

    class Meta:
        model = ChannelConfig
        fields = [
            "id", "channel", "provider", "is_active", "from_address", "host", "port", "security", "region", "username", "secret",
            "daily_cap", "created_at", "updated_at", "version",
        ]


class TestMessageSerializer(StrictSerializer):
    address = serializers.CharField(max_length=254, help_text="Where the test goes: an e-mail address or a number.")


class SentSerializer(serializers.Serializer):
    sent_today = serializers.IntegerField(help_text="How many messages left by this channel today, tests not counted.")


class ChannelConfigViewSet(TenantViewSet):
    """By what the organization's messages leave: a mail server or an account of its own, in the place of the installation's."""

    serializer_class = ChannelConfigSerializer
    filters = ["channel"]
    bulk_operations = ()
    no_bulk = "A sender has a secret: write it by itself."

    def save(self, serializer: serializers.BaseSerializer) -> ChannelConfig:
        config: Any = serializer.instance or ChannelConfig()
        return channel_config_write(config=config, **serializer.validated_data)

    @extend_schema(request=TestMessageSerializer, responses=SentSerializer)
    @action(detail=True, methods=["post"], permission="notifications.test_channelconfig", body_class=TestMessageSerializer)
    def test(self, request: Request, pk: str) -> Response:
        """Sends a message by this sender at once, whether it is switched on or not; 409 says why it did not leave."""
        config = self.get_object()
        channel_config_test(config=config, **self.body(request))
        return Response({"sent_today": sent_today(config.channel)})


routes = {"channel-configs": ChannelConfigViewSet}
