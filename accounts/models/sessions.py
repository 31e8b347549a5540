from django.db import models

from accounts.models.people import User
from core.models import TenantModel


class UserSession(TenantModel):
    """A sign-in that works in this organization. The library's session holds its tokens, and this one shows it to an Admin."""

    class Reason(models.TextChoices):
        SIGNED_OUT = "signed_out", "Signed out"
        REVOKED = "revoked", "Revoked"
        REUSE = "reuse", "A refresh token was used twice"
        PASSWORD = "password", "The password changed"

    audit_ignored = ("last_seen_at", "expires_at", "ip")

    user = models.ForeignKey(User, models.PROTECT, db_index=False, related_name="+")
    session_id = models.BigIntegerField(editable=False)  # of the library's session, which is gone when it has ended
    ip = models.GenericIPAddressField(verbose_name="IP address")
    user_agent = models.CharField("device", max_length=200, blank=True)
    last_seen_at = models.DateTimeField(help_text="To ten minutes.")
    expires_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_reason = models.CharField("why it ended", max_length=10, choices=Reason, blank=True)

    class Meta:
        verbose_name = "sign-in"
        constraints = [models.UniqueConstraint(fields=["organization", "session_id"], name="user_session_once")]
        indexes = [
            models.Index(fields=["organization", "user"], name="user_session_by_user"),
            models.Index(fields=["organization", "ended_at"], name="user_session_by_end"),
        ]

    def __str__(self) -> str:
        return f"{self.user_agent or 'Unknown device'} ({self.ip})"
