"""External sources: their credential is sealed and never shown, and what was noted of a former address goes with it."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from uuid_utils.compat import uuid7

from core.errors import Invalid
from core.tenancy import active_organization_id
from notifications.models import ExternalSource
from notifications.services.external import answers_forget
from notifications.services.external_calls import credential_seal
from notifications.services.external_health import source_health_forget

LONGEST_CREDENTIAL = 2000
# Whatever else is changed, an answer means what it meant.
OF_THE_ANSWER = {"adapter", "base_url", "kinds", "credential_header", "default_ttl", "stale_seconds"}

STRANGE = """
    SELECT s.name, u.kind, ARRAY(SELECT jsonb_object_keys(s.kinds))
    FROM notifications_externalsubject AS u
    JOIN notifications_externalsource AS s ON s.organization_id = u.organization_id AND s.id = u.source_id
    WHERE u.organization_id = %s AND u.id = ANY (%s) AND NOT jsonb_exists(s.kinds, u.kind) LIMIT 1
"""


def external_source_create(*, credential: str = "", **values: Any) -> ExternalSource:
    """Raises Invalid for a credential that no header takes."""
    source_id = uuid7()
    sealed = _sealed(source_id, credential) if credential else None
    row: ExternalSource = ExternalSource.objects.create(pk=source_id, credential=sealed, **values)
    return row


@transaction.atomic
def external_source_update(*, source: ExternalSource, values: Mapping[str, Any]) -> ExternalSource:
    """Writes the given columns alone."""
    before: ExternalSource = ExternalSource.objects.get(pk=source.pk)
    changed = {name for name, value in values.items() if getattr(before, name) != value}
    for name, value in values.items():
        setattr(source, name, value)
    source.save(update_fields=list(values))
    if changed & OF_THE_ANSWER:
        answers_forget(source_id=source.pk)
    if changed:
        source_health_forget(source_id=source.pk)
    return source


@transaction.atomic
def external_source_set_credential(*, source: ExternalSource, credential: str) -> None:
    """In the place of the present one; empty: none is sent any more. Raises Invalid."""
    sealed = _sealed(source.pk, credential) if credential else None
    ExternalSource.objects.filter(pk=source.pk).update(credential=sealed)
    answers_forget(source_id=source.pk)
    source_health_forget(source_id=source.pk)


def external_subjects_check(*, ids: Collection[UUID]) -> None:
    """Raises Invalid for subjects of a kind that their source has not."""
    with connection.cursor() as cursor:
        cursor.execute(STRANGE, [active_organization_id(), list(ids)])
        row = cursor.fetchone()
    if row:
        source, kind, known = row
        detail = f"{source} has no kind {kind!r}. Known: {', '.join(sorted(known))}."
        raise Invalid(detail, code="unknown_kind", fields={"kind": detail})


def _sealed(source_id: UUID, credential: str) -> bytes:
    if not credential.isascii() or not credential.isprintable() or credential != credential.strip():
        detail = "A credential goes into a header: write it in ASCII, on one line, such as Bearer abc123."
        raise Invalid(detail, fields={"credential": detail})
    return credential_seal(source_id=source_id, credential=credential)
