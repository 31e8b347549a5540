"""Which features are on, for whom."""

from contextvars import ContextVar
from hashlib import sha256
from uuid import UUID

from django.utils import timezone

from accounts.models import FeatureFlag
from core.tenancy import Scope, active_scope

type Flags = dict[str, FeatureFlag]

_read: ContextVar[tuple[Scope, Flags] | None] = ContextVar("flags", default=None)


def feature_enabled(key: str, *, user_id: UUID | None = None) -> bool:
    """In the active organization; an unknown key is off. A request reads the flags once, when it first asks.

    A person who has a feature keeps it while `rollout_percent` grows. Without a person, who a job acts for may
    be, a feature is on when it is rolled out to everybody.
    """
    flag = _flags().get(key)
    if flag is None or not flag.enabled or (flag.expires_at and flag.expires_at <= timezone.now()):
        return False
    if flag.rollout_percent >= 100:
        return True
    return user_id is not None and (user_id in flag.user_ids or bucket(key, user_id) < flag.rollout_percent)


def bucket(key: str, user_id: UUID) -> int:
    """From 0 to 99, the same each time, and another for each flag."""
    return int.from_bytes(sha256(f"{key}:{user_id}".encode()).digest()[:8], "big") % 100


def _flags() -> Flags:
    scope = active_scope()
    if (known := _read.get()) and known[0] is scope:
        return known[1]
    found: Flags = {flag.key: flag for flag in FeatureFlag.objects.all()}
    _read.set((scope, found))
    return found
