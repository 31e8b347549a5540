from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from accounts.models.tenancy import Membership
from core.models import TenantForeignKey, TenantModel


def validate_provider_url(url: str) -> None:
    """https, with a host and nothing that hides another one; http where the settings say that it is a test."""
    parts = urlsplit(url)
    schemes = ("https", "http") if settings.IDENTITY_PROVIDERS_BY_HTTP else ("https",)
    if parts.scheme not in schemes or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValidationError("Write it like https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI.")


def validate_group_roles(group_roles: object) -> None:
    if not isinstance(group_roles, dict) or not all(isinstance(part, str) for item in group_roles.items() for part in item):
        raise ValidationError('Write it like {"warehouse-staff": "manager"}: the provider\'s group, then the code of a role.')


class IdentityProvider(TenantModel):
    """Who else signs members in: Amazon Cognito, or any OpenID Connect issuer, by its access tokens.

    It counts once an operator has approved exactly these addresses: whoever names an issuer decides who gets in,
    and its keys are fetched by our server.
    """

    name = models.CharField(max_length=100)
    issuer = models.CharField(
        max_length=300, validators=[validate_provider_url], help_text="The claim `iss` of its tokens, to the letter.",
    )
    audience = models.CharField(
        max_length=200, help_text="The claim `aud` of its access tokens; Cognito has none, there it is the client id.",
    )
    jwks_url = models.CharField(
        "address of its keys", max_length=400, blank=True, validators=[validate_provider_url],
        help_text="Where its public keys are; empty: the issuer's /.well-known/jwks.json.",
    )
    group_claim = models.CharField(
        "claim with the groups", max_length=60, default="cognito:groups", help_text="Cognito's is cognito:groups.",
    )
    group_roles = models.JSONField(
        "roles of its groups", default=dict, blank=True, validators=[validate_group_roles],
        help_text='The code of the role that each gives: {"warehouse-staff": "manager"}. A member\'s other roles stay.',
    )
    creates_members = models.BooleanField(
        "makes members", default=False, help_text="Whoever it vouches for becomes a member; otherwise members alone get in.",
    )
    checks_second_factor = models.BooleanField(
        default=False, help_text="It asks for a second factor itself, so that this organization need not.",
    )
    is_active = models.BooleanField(default=True)
    approved_for = models.CharField(max_length=1000, default="", blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "issuer", "audience"], name="identity_provider_once"),
            models.UniqueConstraint(
                fields=["issuer", "audience"], condition=~models.Q(approved_for=""), name="identity_provider_one_organization",
                violation_error_message="Another organization signs its members in by this issuer and audience.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def keys_url(self) -> str:
        return self.jwks_url or f"{self.issuer.rstrip('/')}/.well-known/jwks.json"

    @property
    def wants_approval_for(self) -> str:
        """What an operator approves; `accounts_find_identity_provider` compares it in the same form."""
        return f"{self.issuer} {self.audience} {self.jwks_url}"

    @property
    def is_approved(self) -> bool:
        return self.approved_for == self.wants_approval_for


class ExternalIdentity(TenantModel):
    """Whom a provider means by a subject: a member of its organization, and of no other."""

    provider = TenantForeignKey(IdentityProvider, models.CASCADE, related_name="+")
    subject = models.CharField(max_length=255)
    membership = TenantForeignKey(Membership, models.CASCADE, related_name="+")
    groups = ArrayField(models.CharField(max_length=128), default=list, blank=True, help_text="As the last token had them.")
    groups_at = models.DateTimeField("groups as of", null=True, blank=True, help_text="When that token was issued.")

    class Meta:
        verbose_name_plural = "external identities"
        constraints = [
            models.UniqueConstraint(fields=["organization", "provider", "subject"], name="external_identity_once"),
            models.UniqueConstraint(fields=["organization", "provider", "membership"], name="external_identity_one_per_member"),
        ]
        indexes = [models.Index(fields=["organization", "membership"], name="external_identity_by_member")]

    def __str__(self) -> str:
        return self.subject
