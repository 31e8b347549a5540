from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from core.admin import TenantAdmin
from core.admin_forms import TenantModelForm
from notifications.admin.asking import asked
from notifications.models import ChannelConfig
from notifications.services.sending import channel_config_write, sent_today
from notifications.services.sending_tests import channel_config_test


class ChannelConfigForm(TenantModelForm):
    given_secret = forms.CharField(  # not the column, which is sealed
        label="Secret", required=False, max_length=500, strip=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="The password, or the secret of Amazon's access key; never shown again. Left empty, the one before stays.",
    )


class AddressForm(forms.Form):
    address = forms.CharField(
        max_length=254, widget=UnfoldAdminTextInputWidget, help_text="Where the test goes: an e-mail address or a number.",
    )


@admin.register(ChannelConfig)
class ChannelConfigAdmin(TenantAdmin):
    """By what the organization's messages leave, in the place of the installation's own sender."""

    form = ChannelConfigForm
    list_display = ["channel", "provider", "from_address", "host", "is_active", "daily_cap", "sent_today"]
    actions_detail = ["send_test"]

    @admin.display(description="sent today")
    def sent_today(self, config: ChannelConfig) -> int:
        return sent_today(config.channel)

    def save_model(self, request: HttpRequest, obj: ChannelConfig, form: Any, change: bool) -> None:
        values = {name: getattr(obj, name) for name in form.cleaned_data if name != "given_secret"}
        row = ChannelConfig.objects.get(pk=obj.pk) if change else obj
        channel_config_write(config=row, secret=form.cleaned_data.get("given_secret", ""), **values)

    @action(description="Send a test message", url_path="send-test", permissions=["send_test"])
    def send_test(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(config: ChannelConfig, values: dict[str, Any]) -> str:
            channel_config_test(config=config, **values)
            return f"It left for {values['address']}."

        return asked(self, request, object_id, AddressForm, "Send a test message", do)

    def has_send_test_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("notifications.test_channelconfig"))
