from ipaddress import ip_network

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models

from accounts.models.tenancy import Membership
from accounts.permissions import is_known
from core.models import TenantForeignKey, TenantModel


def validate_permission(code: str) -> None:
    if not is_known(code):
        raise ValidationError(f"{code!r} is not a permission; write it like inventory.view_product.")


def validate_network(network: str) -> None:
    try:
        ip_network(network, strict=False)
    except ValueError as error:
        raise ValidationError(f"{network!r} is no network; write it like 192.0.2.0/24.") from error


class Role(TenantModel):
    """What a member may do. Admin, Manager and Viewer are built in: `accounts.permissions` says what they hold."""

    code = models.SlugField(max_length=40, db_index=False)
    name = models.CharField(max_length=100)
    is_built_in = models.BooleanField("built in", default=False, editable=False)
    permissions = ArrayField(models.CharField(max_length=100, validators=[validate_permission]), default=list, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "code"], name="role_code_per_organization")]

    def __str__(self) -> str:
        return self.name


class UserRole(TenantModel):
    """A role given to a member, perhaps until some day, perhaps for some warehouses alone."""

    membership = TenantForeignKey(Membership, models.CASCADE, related_name="user_roles", verbose_name="member")
    role = TenantForeignKey(Role, related_name="+")
    expires_at = models.DateTimeField(null=True, blank=True)
    warehouse_ids = ArrayField(
        models.UUIDField(), default=list, db_default=[], blank=True, verbose_name="warehouses",
        help_text="Where the role counts; none: everywhere.",
    )

    class Meta:
        verbose_name = "role of a member"
        verbose_name_plural = "roles of members"
        constraints = [models.UniqueConstraint(fields=["organization", "membership", "role"], name="user_role_once")]
        indexes = [models.Index(fields=["organization", "role"], name="user_role_by_role")]

    def __str__(self) -> str:
        return f"{self.membership}: {self.role}"
