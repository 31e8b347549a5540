"""A person's own sign-ins, whatever organization they work in."""

from typing import Any
from uuid import UUID

from allauth.usersessions.models import UserSession


def sessions_of(user_id: UUID, current: int | None) -> list[dict[str, Any]]:
    """By token and by cookie, the last used first; what has run out is gone with the next sign-in."""
    rows = UserSession.objects.filter(user_id=user_id).order_by("-last_seen_at", "-pk")
    return [
        {
            "id": row.pk, "user_agent": row.user_agent, "ip": row.ip, "organization": row.data.get("organization", ""),
            "created_at": row.created_at, "last_seen_at": row.last_seen_at, "current": row.pk == current,
        }
        for row in rows
    ]


def session_is_live(user_id: UUID, session_id: int | None) -> bool:
    return bool(UserSession.objects.filter(pk=session_id, user_id=user_id, user__is_active=True).exists())
