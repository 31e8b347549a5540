from ipaddress import ip_address

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from core.egress import Policy, Refused, is_public, refuse_address
from core.models import TenantModel
from notifications.channels import OUTSIDE, Channel

aws_region = RegexValidator(r"\A[a-z]{2}(-[a-z]+)+-[0-9]\Z", "Give the name of a region, such as eu-west-1.")


def policy() -> Policy:
    """Which mail servers may be named."""
    return Policy.of(settings.SENDER_ALLOWED_NETWORKS, settings.SENDER_PORTS)


def refuse_plain(address: str) -> None:
    """Raises Refused: without TLS a password and the mail itself may go through networks of one's own alone."""
    if is_public(ip_address(address)):
        raise Refused("Without TLS anybody on the way reads along: choose STARTTLS or TLS.")


def validate_host(host: str) -> None:
    """What can be said before the name is looked up; the connection says the rest."""
    own = f"[{host}]" if ":" in host else host
    try:
        if set(host) & set("/@?#"):
            raise Refused("Write the name of the host alone, such as smtp.example.com.")
        refuse_address(f"https://{own}:{settings.SENDER_PORTS[0]}", policy())
    except Refused as refused:
        raise ValidationError(str(refused)) from refused


class ChannelConfig(TenantModel):
    """By what an organization sends, in the place of the installation's own sender. The secret is written, and never shown."""

    class Provider(models.TextChoices):
        SMTP = "smtp", "A mail server (SMTP)"
        SES = "ses", "Amazon SES"
        SNS = "sns", "Amazon SNS"
        CONSOLE = "console", "Nothing leaves: it is printed"

    class Security(models.TextChoices):
        STARTTLS = "starttls", "STARTTLS"
        TLS = "tls", "TLS from the start"
        NONE = "none", "None, within the installation's own network"

    audit_redacted = ("secret",)

    channel = models.CharField(max_length=10, choices=[(one.value, one.label) for one in OUTSIDE])
    provider = models.CharField(max_length=10, choices=Provider)
    is_active = models.BooleanField(default=True, db_default=True, help_text="Otherwise the installation sends.")
    from_address = models.EmailField(blank=True, default="", help_text="Of e-mail: from whom it comes.")
    host = models.CharField(
        max_length=253, blank=True, default="", validators=[validate_host], help_text="Such as smtp.example.com.",
    )
    port = models.PositiveIntegerField(
        default=587, db_default=587, validators=[MinValueValidator(1), MaxValueValidator(65_535)],
    )
    security = models.CharField(max_length=10, choices=Security, default=Security.STARTTLS, db_default=Security.STARTTLS)
    region = models.CharField(
        max_length=30, blank=True, default="", validators=[aws_region], help_text="Of Amazon, such as eu-west-1.",
    )
    username = models.CharField(max_length=200, blank=True, default="", help_text="Of Amazon: the id of the access key.")
    secret = models.BinaryField(null=True, editable=False, help_text="Sealed by core.sealing.")
    daily_cap = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)],
        help_text="So many messages leave on a day of the organization; what is over waits for the next.",
    )

    class Meta:
        permissions = [("test_channelconfig", "Can send a test message by a sender")]
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "channel"], condition=Q(is_active=True), name="channel_config_one_sends",
                violation_error_message="Another sender of this channel is switched on: switch that off first.",
            ),
            models.CheckConstraint(
                condition=Q(channel=Channel.EMAIL, provider__in=["smtp", "ses", "console"])
                | Q(channel=Channel.SMS, provider__in=["sns", "console"]),
                name="channel_config_provider",
                violation_error_message="E-mail goes by smtp, ses or console, SMS by sns or console.",
            ),
            models.CheckConstraint(
                condition=~Q(channel=Channel.EMAIL) | ~Q(from_address=""), name="channel_config_from",
                violation_error_message="Say from which address mail comes.",
            ),
            models.CheckConstraint(
                condition=~Q(provider="smtp") | ~Q(host=""), name="channel_config_host",
                violation_error_message="Name the mail server.",
            ),
        ]
        indexes = [models.Index(fields=["organization", "channel", "id"], name="channel_config_by_channel")]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} by {self.get_provider_display()}"
