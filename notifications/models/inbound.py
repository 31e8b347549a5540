import re

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q

from core.models import RuntimeModel, TenantForeignKey, TenantModel
from notifications.verifying import PLACEHOLDER, PLACEHOLDERS

header_name = RegexValidator(r"\A[A-Za-z0-9-]+\Z", "Give the name of a header, such as X-Signature.")
place = RegexValidator(
    r"\A(header:[A-Za-z0-9-]+|body:[^.\s]+(\.[^.\s]+)*)\Z",
    "Write header:X-Event-Id, or body: and a path into the JSON, such as body:data.id.",
)


def validate_template(text: str) -> None:
    """Raises ValidationError."""
    unknown = set(PLACEHOLDER.findall(text)) - set(PLACEHOLDERS)
    if unknown or "{body}" not in text or re.search(r"[{}]", PLACEHOLDER.sub("", text)):
        known = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
        raise ValidationError(f"Write what is signed with {known}, such as {{timestamp}}.{{body}}; {{body}} is needed.")


class InboundSource(TenantModel):
    """Who may call us, and how it signs. Columns that are left empty are as the scheme has them."""

    class Scheme(models.TextChoices):
        STANDARD_WEBHOOKS = "standard_webhooks", "Standard Webhooks"
        STRIPE = "stripe", "Stripe"
        GITHUB = "github", "GitHub"
        SHOPIFY = "shopify", "Shopify"
        EASYPOST = "easypost", "EasyPost"
        SHIPPO = "shippo", "Shippo"
        AFTERSHIP = "aftership", "AfterShip"
        SENDCLOUD = "sendcloud", "Sendcloud"
        HMAC = "hmac", "HMAC-SHA256 in a header of your choice"
        TOKEN = "token", "A secret in a header of your choice, without a signature"

    class Encoding(models.TextChoices):
        HEX = "hex", "Hexadecimal"
        BASE64 = "base64", "Base64"

    audit_redacted = ("secret", "previous_secret")

    key = models.SlugField(max_length=60, db_index=False, help_text="By which receivers in the code know it.")
    name = models.CharField(max_length=100)
    scheme = models.CharField(max_length=20, choices=Scheme)
    secret = models.BinaryField(editable=False, help_text="Sealed by core.sealing.")
    previous_secret = models.BinaryField(null=True, editable=False, help_text="Counts as well until the rotation ends.")
    rotation_ends_at = models.DateTimeField(null=True, blank=True, editable=False)
    tolerance_seconds = models.PositiveIntegerField(
        default=300, db_default=300, help_text="By how much a signed time may differ from ours.",
    )
    signature_header = models.CharField(max_length=100, blank=True, default="", validators=[header_name])
    signature_encoding = models.CharField(max_length=10, choices=Encoding, blank=True, default="")
    signature_prefix = models.CharField(
        max_length=40, blank=True, default="", help_text="What stands before the signature, such as sha256=.",
    )
    timestamp_header = models.CharField(max_length=100, blank=True, default="", validators=[header_name])
    signed_template = models.CharField(
        max_length=200, blank=True, default="", validators=[validate_template],
        help_text="What is signed: {body}, or such as {timestamp}.{body}; also {id}, {method} and {path}.",
    )
    external_id_from = models.CharField(
        "id from", max_length=200, blank=True, default="", validators=[place], help_text="header:X-Event-Id or body:data.id.",
    )
    type_from = models.CharField(
        "type from", max_length=200, blank=True, default="", validators=[place], help_text="header:X-Event or body:event.type.",
    )
    is_active = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "key"], name="inbound_source_key"),
            models.CheckConstraint(
                condition=Q(tolerance_seconds__range=(1, 86_400)), name="inbound_source_tolerance",
                violation_error_message="Give 1 to 86400 seconds.",
            ),
            models.CheckConstraint(
                condition=~Q(scheme__in=["hmac", "token"]) | ~Q(signature_header=""), name="inbound_source_names_its_header",
                violation_error_message="This scheme needs the name of the header: give signature_header.",
            ),
            models.CheckConstraint(
                condition=Q(timestamp_header="") | Q(scheme="standard_webhooks") | Q(signed_template__contains="{timestamp}"),
                name="inbound_source_signs_its_time",
                violation_error_message="A time that is not signed proves nothing: put {timestamp} into signed_template.",
            ),
            models.CheckConstraint(
                condition=~Q(signed_template__contains="{timestamp}") | ~Q(timestamp_header="")
                | Q(scheme__in=["standard_webhooks", "stripe", "shippo"]),
                name="inbound_source_names_its_time",
                violation_error_message="Say in timestamp_header where the {timestamp} stands.",
            ),
            models.CheckConstraint(
                condition=~Q(signed_template__contains="{id}") | ~Q(external_id_from__startswith="body:"),
                name="inbound_source_signs_an_id_of_a_header",
                violation_error_message="An {id} that is signed stands in a header: nothing is read from the body before.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class InboundWebhook(RuntimeModel):
    """One call of a source, kept before anything is done with it; or an hour's calls that were turned away.

    What is sent again, under the same id, is the same row.
    """

    class Status(models.TextChoices):
        RECEIVED = "received", "Received"
        PROCESSED = "processed", "Processed"
        FAILED = "failed", "Failed"
        IGNORED = "ignored", "Ignored"
        REJECTED = "rejected", "Rejected: wrong signature or time"

    source = TenantForeignKey(InboundSource, related_name="webhooks")
    external_id = models.CharField("id at the source", max_length=255)
    type = models.CharField(max_length=200, blank=True)
    signature_ok = models.BooleanField()
    headers = models.JSONField(help_text="Without secrets and signatures.")
    payload = models.JSONField(null=True, blank=True, help_text="Text, where it is no JSON.")
    body_hash = models.CharField(max_length=64, blank=True, editable=False)
    replay_key = models.CharField(max_length=64, db_default="", blank=True, editable=False)
    status = models.CharField(max_length=10, choices=Status, db_default=Status.RECEIVED)
    attempts = models.PositiveSmallIntegerField(db_default=0)
    processed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(db_default="", blank=True)
    ignored_reason = models.CharField(max_length=200, db_default="", blank=True)
    repeats = models.PositiveIntegerField(db_default=0, help_text="How often it came again.")
    differing_repeats = models.PositiveIntegerField(db_default=0, help_text="How often it came again with another body.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "source", "external_id"], name="inbound_webhook_once"),
            models.UniqueConstraint(
                fields=["organization", "source", "replay_key"], condition=~Q(replay_key=""), name="inbound_webhook_no_replay",
            ),
            models.CheckConstraint(
                condition=Q(signature_ok=True) | Q(status="rejected", payload__isnull=True), name="inbound_webhook_is_genuine",
            ),
            models.CheckConstraint(
                condition=~Q(status="processed") | Q(processed_at__isnull=False), name="inbound_webhook_processed_at",
            ),
        ]
        indexes = [
            models.Index(fields=["organization", "status", "id"], name="inbound_webhook_by_status"),
            models.Index(fields=["organization", "type", "id"], name="inbound_webhook_by_type"),
            models.Index(fields=["organization", "source", "id"], name="inbound_webhook_by_source"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.external_id}".strip()
