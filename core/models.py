"""What every row of an organization is made of."""

from typing import Any, ClassVar

from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from core.fields import TenantForeignKey as TenantForeignKey
from core.tenancy import active_organization_id


class ActiveOrganization(models.Expression):
    """The active organization, looked up when SQL is compiled rather than when a queryset is built."""

    output_field = models.UUIDField()

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        return "%s::uuid", [active_organization_id()]


class TenantManager[M: models.Model](models.Manager[M]):
    """Names the organization in each query: the planner then uses its statistics. The wall does not depend on it."""

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().filter(organization_id=ActiveOrganization())


class AuditedModel(models.Model):
    """A row whose changes the database writes into the audit trail, with its version and time of change."""

    audit_redacted: ClassVar[tuple[str, ...]] = ()  # columns whose values the audit trail must not hold
    audit_ignored: ClassVar[tuple[str, ...]] = ()  # columns that another ledger accounts for
    tree_depth: ClassVar[int] = 0  # of a tree, whose reference is called parent: the database refuses a cycle

    frozen: ClassVar[tuple[str, ...]] = ()  # a column and its value: the database refuses to change such rows

    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    version = models.PositiveIntegerField(db_default=1, editable=False)

    class Meta:
        abstract = True


class TenantRow(models.Model):
    """Base of `TenantModel` and `LedgerModel`."""

    stands_in: ClassVar[tuple[str, ...]] = ()  # paths to the warehouse of the row, like "location.warehouse"

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, default=active_organization_id,
        editable=False, db_index=False, related_name="+",
    )

    # Generic over the model in truth, which a class variable cannot say.
    objects: ClassVar[Any] = TenantManager()
    every_organization: ClassVar[Any] = models.Manager()  # for the worker's role; to the app it shows no more

    class Meta:
        abstract = True


class TenantModel(TenantRow, AuditedModel):
    """A row that users change; the database audits each change, raises `version` and sets `updated_at`."""

    annotated: ClassVar[bool] = False  # whether tags, notes and files hang on it; see `core.objects`

    class Meta(TenantRow.Meta):
        abstract = True


class LedgerModel(TenantRow):
    """A row written once; the database refuses to change it, whoever asks."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantRow.Meta):
        abstract = True


class RuntimeModel(TenantRow):
    """A row of the machinery (an event, a delivery, a job): it changes by itself, and its columns tell its history."""

    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta(TenantRow.Meta):
        abstract = True


class ArchivableModel(TenantModel):
    """Archived rows leave the default lists, keep their history and can be restored."""

    annotated = True

    archived_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta(TenantModel.Meta):
        abstract = True


def external_ref() -> models.CharField:
    """The row's name in the system it came from: the upsert key of imports, null where there is none.

    Null, not empty, because it is unique per organization; see `external_ref_unique`.
    """
    return models.CharField("external reference", max_length=100, null=True, blank=True)


def external_ref_unique(name: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(fields=["organization", "external_ref"], name=name)
