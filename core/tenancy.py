"""The organization that the current request, job or command works for."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import UUID

import orjson
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper


@dataclass(frozen=True, slots=True)
class Origin:
    """Who acts, from where and why: kept with each audit entry, event and job that the scope writes."""

    actor_id: UUID | None = None
    api_key_id: UUID | None = None
    impersonator_id: UUID | None = None  # platform staff who act as the actor
    request_id: str = ""
    traceparent: str = ""
    reason: str = ""
    ip: str = ""

    def as_json(self) -> str:
        given = {field: value for field in self.__slots__ if (value := getattr(self, field))}
        return orjson.dumps(given).decode()


@dataclass(frozen=True, slots=True)
class Scope:
    organization_id: UUID
    origin: Origin


_active: ContextVar[Scope | None] = ContextVar("active_scope", default=None)


class NoOrganization(RuntimeError):
    """A tenant table was used outside `organization_scope`."""


class WrongOrganization(RuntimeError):
    """A scope was opened inside the scope of another organization."""


def active_scope() -> Scope:
    if (scope := _active.get()) is None:
        raise NoOrganization("Open an organization_scope() before using tenant rows.")
    return scope


def active_organization_id() -> UUID:
    return active_scope().organization_id


def scope_is_open() -> bool:
    return _active.get() is not None


def set_local(cursor: CursorWrapper, organization_id: str, origin: str) -> None:
    cursor.execute(
        "SELECT set_config('app.organization_id', %s, true), set_config('app.origin', %s, true)",
        [organization_id, origin],
    )


@contextmanager
def organization_scope[Entered](
    organization_id: UUID,
    *,
    origin: Origin | None = None,
    enter: Callable[[CursorWrapper, str, str], Entered] = set_local,  # type: ignore[assignment]
) -> Iterator[Entered | None]:
    """A transaction in which the database shows the rows of one organization: the only door to them.

    `enter` makes the two settings and may read something in the same statement; what it returns is what
    the scope yields. Inside the scope of the same organization it is a savepoint that keeps the outer
    origin and yields None.
    """
    outer = _active.get()
    if outer is not None:
        if outer.organization_id != organization_id:
            raise WrongOrganization(f"{organization_id} inside {outer.organization_id}")
        with transaction.atomic():
            yield None
        return

    scope = Scope(organization_id, origin or Origin())
    inside_a_transaction = connection.in_atomic_block
    token = _active.set(scope)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                entered = enter(cursor, str(organization_id), scope.origin.as_json())
            yield entered
            if inside_a_transaction and not connection.needs_rollback:
                # RELEASE SAVEPOINT keeps local settings; COMMIT and every ROLLBACK forget them.
                with connection.cursor() as cursor:
                    set_local(cursor, "", "")
    finally:
        _active.reset(token)
