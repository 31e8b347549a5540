from django.db import models

from accounts.models.people import User
from accounts.models.tenancy import Membership
from core.models import TenantForeignKey, TenantModel


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
