from django.db import models

from accounts.models.people import User
from accounts.models.tenancy import Membership
from core.models import LedgerModel, TenantForeignKey, TenantModel


class AuditEntry(LedgerModel):
    """Who changed what. Written by the trigger in `core.wall` alone: nobody may insert."""

    # A seal needs the order of writing, which a number gives.
    id = models.BigAutoField(primary_key=True)  # type: ignore[assignment]
    table_name = models.CharField(max_length=63)
    row_id = models.UUIDField()
    action = models.CharField(max_length=6, choices=[("insert", "Added"), ("update", "Changed"), ("delete", "Deleted")])
    changes = models.JSONField(help_text="{column: [before, after]}")
    actor_id = models.UUIDField(null=True)
    impersonator_id = models.UUIDField(null=True, help_text="Platform staff who acted as the actor.")
    api_key_id = models.UUIDField(null=True)
    request_id = models.CharField(max_length=64)
    reason = models.CharField(max_length=500)
    ip = models.CharField(max_length=45)

    class Meta:
        verbose_name_plural = "audit entries"
        indexes = [
            models.Index(fields=["organization", "table_name", "row_id", "id"], name="audit_by_row"),
            models.Index(fields=["organization", "actor_id", "id"], name="audit_by_actor"),
            models.Index(fields=["organization", "request_id"], name="audit_by_request"),
        ]

    def __str__(self) -> str:
        return f"{self.table_name} {self.action}"


class Impersonation(TenantModel):
    """Platform staff act for a member, for a while and for a reason."""

    impersonator = models.ForeignKey(User, models.PROTECT, related_name="+", db_index=False)
    membership = TenantForeignKey(Membership, models.CASCADE, related_name="+")
    reason = models.CharField(max_length=500)
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["organization", "impersonator"], name="impersonation_by_staff"),
            models.Index(fields=["organization", "membership"], name="impersonation_by_member"),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(expires_at__gt=models.F("created_at")), name="impersonation_lasts"),
            models.CheckConstraint(condition=~models.Q(reason=""), name="impersonation_has_a_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.impersonator} for {self.membership}"
