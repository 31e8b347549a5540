from uuid_utils.compat import uuid7

from accounts.models import Organization
from core.errors import Conflict, Invalid
from core.tenancy import active_organization_id
from core.text import storable
from notifications.channels import Channel, address_fault
from notifications.models import ChannelConfig
from notifications.services.departures import Unsent, mail_send, sms_send


def channel_config_test(*, config: ChannelConfig, address: str) -> None:
    """Sends a message by this sender at once. Raises Invalid for an address that is none, Conflict with what the server said."""
    if fault := address_fault(config.channel, address):
        raise Invalid(fault, fields={"address": fault})
    text = f"This is a test of how {Organization.objects.get(pk=active_organization_id()).name} sends messages."
    try:
        if config.channel == Channel.SMS:
            sms_send(number=address, text=text, sender=config)
        else:
            mail_send(name=str(uuid7()), to=address, subject="A test of your sender", body=f"{text}\n", sender=config)
    except Unsent as error:
        raise Conflict(f"It did not leave: {storable(str(error))[:500]}", code="not_sent") from error
