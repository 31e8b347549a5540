"""By whom an organization sends: what it has set up for a channel, in the place of the installation's own sender."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.models import Organization
from core.errors import Invalid
from core.sealing import seal, unseal
from core.tenancy import active_organization_id
from notifications.models import ChannelConfig, NotificationDelivery
from notifications.models.sending import policy

Provider = ChannelConfig.Provider
OF_AMAZON = (Provider.SES, Provider.SNS)
UNDER_WAY = timedelta(hours=1)  # after midnight, what was counted so lately may leave on the new day


@transaction.atomic
def channel_config_write(*, config: ChannelConfig, secret: str = "", **values: Any) -> ChannelConfig:
    """A new row or one that is there. Without a secret the one before stays, unless server or account change. Raises Invalid."""
    before = (config.provider, config.host, config.port, config.username, config.region)
    for name, value in values.items():
        setattr(config, name, value)
    moved = before != (config.provider, config.host, config.port, config.username, config.region)
    if secret:
        config.secret = seal(secret.encode(), purpose=_purpose(config))
    elif moved and config.secret is not None:
        detail = "Give the secret again: it is not handed to another server or account."
        raise Invalid(detail, fields={"secret": detail})
    if config.provider in OF_AMAZON:
        missing = [name for name in ("username", "region", "secret") if not getattr(config, name)]
        if missing:
            detail = "Amazon is asked in your own name: give the id of an access key, its secret and the region."
            raise Invalid(detail, fields=dict.fromkeys(missing, detail))
    known = policy()
    if config.provider == Provider.SMTP and not known.networks and config.port not in known.ports:
        detail = f"Port {config.port} is not used here: use {', '.join(map(str, known.ports))}."
        raise Invalid(detail, fields={"port": detail})
    config.save()
    return config


def sender_of(channel: str) -> ChannelConfig | None:
    """The organization's own, if it has one that is switched on."""
    found: ChannelConfig | None = ChannelConfig.objects.filter(channel=channel, is_active=True).first()
    return found


def sent_today(channel: str) -> int:
    """A digest counts once, whatever is in it."""
    begin, _ = _day()
    return int(NotificationDelivery.objects.filter(_sent(begin), channel=channel).count())


def _sent(begin: datetime) -> Q:
    return Q(status="sent", sent_at__gte=begin, digest=None)


def place_take(delivery: NotificationDelivery, sender: ChannelConfig) -> datetime | None:
    """One of the places that the sender's cap leaves on this day, for good once it is committed; what does not leave gives it
    back. When there is none, it returns when the next day begins. Who asks at the same time waits here.
    """
    cap = ChannelConfig.objects.select_for_update(no_key=True).values_list("daily_cap", flat=True).get(pk=sender.pk)
    begin, end = _day()
    if cap is None or (delivery.counted_at and delivery.counted_at >= begin):
        return None
    now = timezone.now()
    under_way = Q(status="queued", counted_at__gte=min(begin, now - UNDER_WAY))
    # In one statement: meanwhile one that is under way becomes one that was sent.
    taken = NotificationDelivery.objects.filter(_sent(begin) | under_way, channel=sender.channel).exclude(pk=delivery.pk)
    if taken.count() >= cap:
        return end
    delivery.counted_at = now
    delivery.save(update_fields=["counted_at"])
    return None


def mail_connection(sender: ChannelConfig) -> Any:
    """Raises BrokenSeal."""
    if sender.provider == Provider.SES:
        return import_string("core.mail_by_ses.SESBackend")(**_amazon(sender))
    if sender.provider == Provider.CONSOLE:
        return import_string("django.core.mail.backends.console.EmailBackend")()
    return import_string("notifications.smtp_guard.GuardedBackend")(
        host=sender.host, port=sender.port, username=sender.username, password=_secret(sender),
        use_tls=sender.security == ChannelConfig.Security.STARTTLS, use_ssl=sender.security == ChannelConfig.Security.TLS,
        timeout=settings.EMAIL_TIMEOUT,
    )


def sms_options(sender: ChannelConfig) -> dict[str, str]:
    """Raises BrokenSeal."""
    return _amazon(sender)


def _amazon(sender: ChannelConfig) -> dict[str, str]:
    return {"region": sender.region, "key_id": sender.username, "secret_key": _secret(sender)}


def _secret(sender: ChannelConfig) -> str:
    return "" if sender.secret is None else unseal(bytes(sender.secret), purpose=_purpose(sender)).decode()


def _purpose(config: ChannelConfig) -> str:
    return f"sender {config.pk}"


def _day() -> tuple[datetime, datetime]:
    """Of the organization's calendar: its beginning and its end."""
    zone = ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id()))
    today = timezone.now().astimezone(zone).date()
    midnight = datetime.min.time()
    return (
        datetime.combine(today, midnight, zone).astimezone(ZoneInfo("UTC")),
        datetime.combine(today + timedelta(days=1), midnight, zone).astimezone(ZoneInfo("UTC")),
    )
