"""Where sign-ins are used, and how they end. Needs no tokens, so that a request by cookie does not import them."""

from datetime import datetime, timedelta
from importlib import import_module
from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession as LibrarySession
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User, UserSession
from core.errors import NotFound
from core.tenancy import Origin

NO_ADDRESS = "0.0.0.0"  # noqa: S104  # the column is never null


def session_seen(
    *, user_id: UUID, session_id: int, origin: Origin, user_agent: str = "", expires_at: datetime | None = None,
) -> None:
    """Notes in the active organization that a sign-in is used there; the middleware asks for it every ten minutes at most.

    Requests that come together do not wait for each other: a row that is being written is left alone.
    """
    now = timezone.now()
    values = {"last_seen_at": now, "ip": origin.ip or NO_ADDRESS}
    until = {"expires_at": expires_at} if expires_at else {}
    library = LibrarySession.objects.select_for_update(skip_locked=True).filter(pk=session_id, user_id=user_id)
    LibrarySession.objects.filter(pk__in=list(library.values_list("pk", flat=True))).update(**values)
    kept = UserSession.objects.select_for_update(skip_locked=True).filter(session_id=session_id)
    if UserSession.objects.filter(pk__in=list(kept.values_list("pk", flat=True))).update(**values, **until):
        return
    until = until or {"expires_at": now + timedelta(seconds=settings.SESSION_COOKIE_AGE)}
    row = UserSession(user_id=user_id, session_id=session_id, user_agent=user_agent[:200], **values, **until)
    UserSession.objects.bulk_create([row], ignore_conflicts=True)


@transaction.atomic
def sessions_end(
    *, user_id: UUID, reason: str, only: int | None = None, keep: int | None = None,
) -> int:
    """Ends a person's sign-ins in all organizations, and says how many. Their tokens and cookies are void at once."""
    found = LibrarySession.objects.select_for_update().filter(user_id=user_id).exclude(pk=keep).order_by("pk")
    rows = list(found if only is None else found.filter(pk=only))
    ids = [row.pk for row in rows]  # Django takes them from the rows that it deletes
    for row in rows:
        row.end()
    with connection.cursor() as cursor:
        cursor.execute("SELECT accounts_sessions_ended(%s, %s, %s)", [user_id, ids, str(reason)])
    return len(rows)


def session_revoke(*, session: UserSession) -> None:
    """By an Admin, of the organization in which it is listed; it ends for good, wherever else it was used."""
    sessions_end(user_id=session.user_id, reason=UserSession.Reason.REVOKED, only=session.session_id)


def session_end_own(*, user_id: UUID, session_id: int) -> None:
    """Raises NotFound."""
    if not sessions_end(user_id=user_id, reason=UserSession.Reason.REVOKED, only=session_id):
        raise NotFound("You have no such sign-in: it has ended already.")


def session_rekey(*, session_id: int | None, user: User) -> None:
    """Lets a sign-in outlast a change of the password, whose hash each session holds."""
    for row in LibrarySession.objects.filter(pk=session_id, user_id=user.pk):
        store: Any = import_module(settings.SESSION_ENGINE).SessionStore(row.session_key)
        store[HASH_SESSION_KEY] = user.get_session_auth_hash()
        store.save()


def session_of_cookie(*, user_id: UUID, session_key: str, origin: Origin, user_agent: str) -> int:
    """The library's id of a sign-in by cookie; it notes only those that its own pages have made."""
    row, _ = LibrarySession.objects.get_or_create(
        session_key=session_key,
        defaults={"user_id": user_id, "ip": origin.ip or NO_ADDRESS, "user_agent": user_agent[:200]},
    )
    return int(row.pk)


def session_moved(*, session_id: int | None, session_key: str) -> int | None:
    """Django has given a sign-in by cookie another key."""
    LibrarySession.objects.filter(pk=session_id).update(session_key=session_key)
    return session_id
