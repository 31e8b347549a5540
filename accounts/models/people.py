from typing import Any, ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from uuid_utils.compat import uuid7

from core.models import AuditedModel


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **values: Any) -> "User":
        """Made by an operator, who answers for the address; who signs up verifies it (`accounts.services.registration`)."""
        user = self.model(email=email.strip().lower(), **{"email_verified_at": timezone.now(), **values})
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **values: Any) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **values)

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, AuditedModel):
    """A person who signs in, and may belong to several organizations; found through memberships only."""

    audit_redacted = ("password",)

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150)
    age = models.PositiveSmallIntegerField(null=True, blank=True, validators=[MaxValueValidator(150)])
    phone = models.CharField(max_length=32, blank=True)
    locale = models.CharField(max_length=16, blank=True)
    timezone = models.CharField(max_length=64, blank=True)
    avatar = models.CharField(max_length=200, db_default="", blank=True, editable=False, help_text="The key of a private file.")
    email_verified_at = models.DateTimeField(null=True, blank=True)
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False, help_text="May use the admin.")
    is_superuser = models.BooleanField(default=False, help_text="Platform staff: may found organizations.")
    second_factor_at = models.DateTimeField(null=True, editable=False, help_text="Since when this person has a second factor.")
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    permissions: frozenset[str] = frozenset()  # in the organization of the current request

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_lower_case"),
            models.CheckConstraint(condition=Q(age__isnull=True) | Q(age__lte=150), name="user_age_possible"),
        ]

    def __str__(self) -> str:
        return self.name or self.email

    def has_perm(self, permission: str, row: object = None) -> bool:
        return self.is_active and permission in self.permissions

    def has_perms(self, permissions: list[str], row: object = None) -> bool:
        return all(self.has_perm(permission) for permission in permissions)

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and any(permission.startswith(f"{app_label}.") for permission in self.permissions)
