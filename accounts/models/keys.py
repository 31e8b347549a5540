from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from accounts.models.roles import validate_network, validate_permission
from core.models import RuntimeModel, TenantForeignKey, TenantModel


class ApiKey(TenantModel):
    """Machine access. The key is shown once; its hash is kept, and its prefix to find it by."""

    audit_redacted = ("key_hash", "signing_secret")

    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    key_hash = models.CharField(max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=100, validators=[validate_permission]), default=list)
    allowed_networks = ArrayField(
        models.CharField(max_length=50, validators=[validate_network]), default=list, blank=True,
        help_text="Like 192.0.2.0/24, several with commas between them; empty: from anywhere.",
    )
    rate_per_minute = models.PositiveIntegerField(
        "requests per minute", null=True, blank=True, validators=[MinValueValidator(1)], help_text="Empty: as many as any key.",
    )
    require_signature = models.BooleanField(
        "requests are signed", default=False, db_default=False, help_text="Chosen when the key is made.",
    )
    signing_secret = models.BinaryField(null=True, help_text="Sealed by core.sealing: its use needs the secret itself.")
    rotated_from = TenantForeignKey("self", null=True, blank=True, editable=False, related_name="successors")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "API key"
        constraints = [
            models.UniqueConstraint(fields=["organization", "name"], name="api_key_name_per_organization"),
            models.UniqueConstraint(fields=["organization", "rotated_from"], name="api_key_one_successor"),
            models.CheckConstraint(
                condition=Q(require_signature=False) | Q(signing_secret__isnull=False), name="api_key_signs_with_a_secret",
                violation_error_message="This key has no secret to sign with: make a new one that requires signatures.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class UsedNonce(RuntimeModel):
    """Keeps a signed request from being sent again while its time would still be accepted."""

    api_key = TenantForeignKey(ApiKey, models.CASCADE, related_name="+", verbose_name="API key")
    nonce = models.CharField(max_length=64)
    expires_at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["organization", "api_key", "nonce"], name="nonce_used_once")]
        indexes = [models.Index(fields=["expires_at"], name="used_nonce_expiry")]

    def __str__(self) -> str:
        return self.nonce
