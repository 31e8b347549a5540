"""Lists as files: asked for through the API, written by a job, kept for a day."""

from tempfile import TemporaryFile
from typing import Any
from uuid import UUID

from django.core.files.base import File
from rest_framework.exceptions import APIException
from uuid_utils.compat import uuid7

from accounts.standing import standing
from core.errors import Forbidden, Invalid, NotFound
from core.exporting import exported, pieces
from core.files import private_files
from core.problems import describe
from core.tenancy import active_scope
from notifications.models import Job
from notifications.services.jobs import Order, job_made

FOLDER = "exports"
KEPT = 24 * 60 * 60  # seconds; the purge of the night then takes it
TASK, ATTEMPTS = "notifications.tasks.export", 3


def export_write(context: Any, *, resource: str, query: str, form: str) -> dict[str, Any]:
    """What the list gives to who asked for it, with the permissions of now. Raises Forbidden or Invalid, which is final."""
    try:
        table = exported(resource, query, standing())
    except APIException as error:
        status, code, detail, _ = describe(error)
        raise (Forbidden if status == 403 else Invalid)(detail, code=code) from error
    key, rows = f"{FOLDER}/{active_scope().organization_id}/{uuid7()}", 0
    with TemporaryFile() as file:
        for piece, count in pieces(table, form):
            file.write(piece)
            rows += count
            context.progress(rows)
        size = file.tell()
        file.seek(0)
        private_files().save(key, File(file))
    return {"rows": rows, "size": size, "key": key}


def export_begin(*, resource: str, query: str, form: str, asker: UUID) -> UUID:
    """A job for what `exported` has let pass; those of one asker run one after the other."""
    asked = {"resource": resource, "query": query, "format": form}
    return job_made(Order(task=TASK, kwargs=asked, max_attempts=ATTEMPTS, lock_key=f"export {asker}"))


def export_find(job_id: UUID) -> Job:
    """Raises NotFound for what somebody else asked for."""
    origin = active_scope().origin
    job: Job | None = Job.objects.filter(pk=job_id, task=TASK).first()
    asker = {name: (job.origin if job else {}).get(name) for name in ("actor_id", "api_key_id")}
    if job is None or asker != {name: str(value) if (value := getattr(origin, name)) else None for name in asker}:
        raise NotFound("There is no such export of yours.")
    return job


def exports_purge(*, dry_run: bool = False) -> int:
    return private_files().delete_below(FOLDER, older_than_seconds=KEPT, dry_run=dry_run)
