"""The purge: set-based, in batches of their own transactions, within what the organization's policies say."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from django.core.files.storage import storages
from django.db import connection, connections, transaction
from django.db.backends.utils import CursorWrapper
from django.utils import timezone

from accounts.models import DataSubjectRequest, Organization, RetentionPolicy
from core.budget import Budget
from core.errors import Invalid
from core.retention import DataClass, data_classes, least_id
from core.tenancy import Origin, active_organization_id, organization_scope

BATCH = 5_000  # rows of a transaction
ORIGIN = Origin(reason="Retention policy")
EXPORTS = "privacy-exports"


class Purged(NamedTuple):
    """`rows` were purged, or would be in a dry run; `held` by a legal hold are none."""

    data_class: str
    rows: int
    action: str = "delete"
    held: bool = False


def policies_ensure() -> None:
    """A policy for each class of data of the active organization; those that are there stay as they are."""
    known = {policy.data_class for policy in RetentionPolicy.objects.only("data_class")}
    missing = [one for one in data_classes().values() if not one.shared and one.name not in known]
    RetentionPolicy.objects.bulk_create(
        [RetentionPolicy(data_class=one.name, keep_days=one.keep_days) for one in missing], ignore_conflicts=True,
    )


def refuse_impossible(*, data_class: str, action: str) -> None:
    """Raises Invalid: not every class can stay without personal data."""
    known = data_classes().get(data_class)
    if action == RetentionPolicy.Action.PSEUDONYMISE and not (known and known.pseudonymise):
        raise Invalid(f"{data_class} can only be deleted: choose the action delete.", fields={"action": "not for this class"})


def purge_everywhere(*, dry_run: bool = False, budget: Budget | None = None) -> dict[str, list[Purged]]:
    """By slug; what belongs to the installation by an empty one. In any order: time that runs out hits another each night."""
    budget = budget or Budget()
    found = {"": list(purge_shared(dry_run=dry_run, budget=budget))}
    for organization_id, slug in Organization.objects.using("worker").order_by("?").values_list("pk", "slug"):
        if not budget.has_time():
            break
        found[slug] = list(purge(organization_id=organization_id, dry_run=dry_run, budget=budget))
    return found


def purge(*, organization_id: UUID, dry_run: bool = False, budget: Budget | None = None) -> Iterator[Purged]:
    """Opens its own scopes. What was purged is noted in the policy, and so in the audit trail."""
    budget = budget or Budget()
    with organization_scope(organization_id, origin=ORIGIN):
        policies_ensure()
        policies = {policy.data_class: policy for policy in RetentionPolicy.objects.all()}
    for data_class in data_classes().values():
        if not data_class.shared:
            yield _purge_class(organization_id, data_class, policies[data_class.name], dry_run, budget)
    yield Purged(EXPORTS, _expired_exports(organization_id, dry_run, budget))


def purge_shared(*, dry_run: bool = False, budget: Budget | None = None) -> Iterator[Purged]:
    budget = budget or Budget()
    for data_class in data_classes().values():
        if data_class.shared:
            values = _moment(data_class.keep_days)
            if data_class.purge:
                rows = _by_function(None, data_class, values, dry_run, budget)
            elif dry_run:
                rows = _count("worker", data_class, "true", values)
            else:
                rows = _in_batches(data_class, values, budget)
            yield Purged(data_class.name, rows)


def _purge_class(
    organization_id: UUID, data_class: DataClass, policy: RetentionPolicy, dry_run: bool, budget: Budget,
) -> Purged:
    if policy.is_held(timezone.localdate()):
        return Purged(data_class.name, 0, policy.action, held=True)
    values = {**_moment(policy.keep_days), "organization": organization_id}
    where = _where(data_class, policy)
    if data_class.purge:
        rows = _by_function(organization_id, data_class, values, dry_run, budget)
    elif dry_run:
        with organization_scope(organization_id, origin=ORIGIN):
            rows = _count("default", data_class, where, values)
    else:
        rows = _own_batches(organization_id, data_class, where, values, policy.action, budget)
    if rows and not dry_run:
        with organization_scope(organization_id, origin=ORIGIN):
            RetentionPolicy.objects.filter(pk=policy.pk).update(purged_at=timezone.now(), purged_rows=rows)
    return Purged(data_class.name, rows, policy.action)


def _by_function(
    organization_id: UUID | None, data_class: DataClass, values: dict[str, Any], dry_run: bool, budget: Budget,
) -> int:
    assert data_class.purge  # noqa: S101  # for the type checker
    if not (dry_run or budget.has_time()):
        return 0
    return data_class.purge(organization_id=organization_id, before=values["before"], dry_run=dry_run, budget=budget)


def _own_batches(
    organization_id: UUID, data_class: DataClass, where: str, values: dict[str, Any], action: str, budget: Budget,
) -> int:
    rows, count = 0, BATCH
    while count == BATCH and budget.has_time():
        with organization_scope(organization_id, origin=ORIGIN), connection.cursor() as cursor:
            count = _batch(cursor, data_class, where, values, action)
        rows += count
    return rows


def _where(data_class: DataClass, policy: RetentionPolicy) -> str:
    own = "t.organization_id = %(organization)s"
    done = policy.action == RetentionPolicy.Action.PSEUDONYMISE
    return f"{own} AND NOT ({data_class.is_pseudonymous})" if done else own


def _moment(days: int) -> dict[str, Any]:
    before = timezone.now() - timedelta(days=days)
    return {"before": before, "before_id": least_id(before)}


def _count(using: str, data_class: DataClass, where: str, values: dict[str, Any]) -> int:
    with connections[using].cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {data_class.table} AS t WHERE {where} AND {data_class.condition}", values)
        return int(cursor.fetchone()[0])


def _in_batches(data_class: DataClass, values: dict[str, Any], budget: Budget) -> int:
    rows, count = 0, BATCH
    while count == BATCH and budget.has_time():
        with transaction.atomic("worker"), connections["worker"].cursor() as cursor:
            count = _batch(cursor, data_class, "true", values, "delete")
        rows += count
    return rows


def _batch(cursor: CursorWrapper, data_class: DataClass, where: str, values: dict[str, Any], action: str) -> int:
    """By ctid, so that a table needs no column of a certain name; locked rows wait for the next purge."""
    chosen = (
        f"SELECT t.ctid FROM {data_class.table} AS t WHERE {where} AND {data_class.condition}"
        f" LIMIT {BATCH} FOR UPDATE SKIP LOCKED"
    )
    if action == RetentionPolicy.Action.PSEUDONYMISE:
        cursor.execute(f"UPDATE {data_class.table} SET {data_class.pseudonymise} WHERE ctid = ANY (ARRAY({chosen}))", values)
    else:
        cursor.execute(f"DELETE FROM {data_class.table} WHERE ctid = ANY (ARRAY({chosen}))", values)
    return int(cursor.rowcount)


def _expired_exports(organization_id: UUID, dry_run: bool, budget: Budget) -> int:
    """The archives of exports; the requests stay, without them."""
    with organization_scope(organization_id, origin=ORIGIN):
        expired = DataSubjectRequest.objects.filter(result_expires_at__lt=timezone.now()).exclude(result="")
        if dry_run:
            return int(expired.count())
        removed = 0
        for request in expired:
            if not budget.has_time():
                break
            storages["private"].delete(request.result)
            removed += DataSubjectRequest.objects.filter(pk=request.pk).update(result="")
        return removed


def export_path(request_id: UUID) -> str:
    return f"{EXPORTS}/{active_organization_id()}/{request_id}.zip"
