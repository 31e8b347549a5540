from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from core.models import TenantModel


class Invitation(TenantModel):
    """Asks somebody by e-mail to join, with roles. The link is mailed; its hash is kept."""

    audit_redacted = ("token_hash",)

    email = models.EmailField("e-mail address")
    roles = ArrayField(models.SlugField(max_length=40), help_text="Codes of roles, such as viewer.")
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    expires_at = models.DateTimeField(editable=False)
    accepted_at = models.DateTimeField(null=True, blank=True, editable=False)
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization", "email"], condition=Q(accepted_at=None, revoked_at=None), name="invitation_one_open",
                violation_error_message="This address has an open invitation already: send it again, or revoke it.",
            ),
            models.CheckConstraint(condition=Q(email=Lower("email")), name="invitation_email_lower_case"),
        ]

    def __str__(self) -> str:
        return self.email
