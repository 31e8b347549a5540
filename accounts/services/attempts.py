"""Wrong passwords and codes, counted by account and by address apart; django-axes keeps the count.

The address is the one that the middleware found: the connection's, or that of Lambda's event, never a header's.
"""

from datetime import datetime
from functools import partial
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.handlers.proxy import AxesProxyHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Max, Q, Sum
from django.http import HttpRequest
from django.utils import timezone

from accounts.afterwards import outlast
from core.errors import TooMany
from core.tenancy import Origin


class LockedOut(TooMany):
    """Too many wrong passwords or codes, for this account or from this address."""

    code = "locked_out"


class LockOutHandler(AxesDatabaseHandler):
    def is_locked(self, request: Any, credentials: Any = None) -> bool:
        return locked_until(account_of(request, credentials), address_of(request)) is not None

    def get_failures(self, request: Any, credentials: Any = None) -> int:
        return settings.AXES_FAILURE_LIMIT if self.is_locked(request, credentials) else 0

    def user_login_failed(self, sender: Any, credentials: Any, request: Any = None, **kwargs: Any) -> None:
        outlast(partial(super().user_login_failed, sender, credentials, request, **kwargs))

    def user_logged_in(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        """Nothing: after the password, the second factor may still be wrong. `attempts_forget` is called in the end."""

    def user_logged_out(self, sender: Any, request: Any, user: Any, **kwargs: Any) -> None:
        """Nothing."""


def address_of(request: Any) -> str | None:
    origin: Origin | None = getattr(request, "origin", None)
    return origin.ip or None if origin else None


def account_of(request: Any, credentials: Any) -> str:
    return str((credentials or {}).get("username") or "").strip().lower()


def request_of(origin: Origin, user_agent: str = "") -> HttpRequest:
    """The bit of a request that axes looks at, for services, which know no other."""
    request: Any = HttpRequest()
    request.origin = origin
    request.META["HTTP_USER_AGENT"] = user_agent
    return request  # type: ignore[no-any-return]


def locked_until(account: str, address: str | None) -> datetime | None:
    recent = AccessAttempt.objects.filter(attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME)
    by_account, by_address = Q(username=account), Q(ip_address=address) if address else Q(pk=None)
    found = recent.filter(by_account | by_address).order_by().aggregate(
        account=Sum("failures_since_start", filter=by_account), account_at=Max("attempt_time", filter=by_account),
        address=Sum("failures_since_start", filter=by_address), address_at=Max("attempt_time", filter=by_address),
    )
    ends = []
    if (found["account"] or 0) >= settings.AXES_FAILURE_LIMIT:
        ends.append(found["account_at"])
    if (found["address"] or 0) >= settings.LOCK_OUT_ADDRESS_FAILURES:
        ends.append(found["address_at"])
    return max(ends) + settings.AXES_COOLOFF_TIME if ends else None


def refuse_locked(*, account: str, origin: Origin) -> None:
    """Raises LockedOut."""
    if until := locked_until(account.strip().lower(), origin.ip or None):
        wait = max(1, int((until - timezone.now()).total_seconds()) + 1)
        minutes = -(-wait // 60)
        raise LockedOut(
            f"Too many wrong attempts: wait {minutes} minute{'s' if minutes > 1 else ''}, or ask an Admin to unlock the account.",
            wait=wait,
        )


def attempt_failed(*, account: str, origin: Origin, user_agent: str = "") -> None:
    """Counts, even if the caller's transaction is rolled back."""
    AxesProxyHandler.user_login_failed(__name__, {"username": account}, request_of(origin, user_agent))


def attempts_forget(*, account: str, origin: Origin) -> None:
    """After a complete sign-in: its own typing errors. What others did from this address, or to this account, stays."""
    AccessAttempt.objects.filter(username=account.lower(), ip_address=origin.ip or None).delete()


def account_unlock(*, account: str) -> int:
    """How many records of failures were removed."""
    return int(AccessAttempt.objects.filter(username=account.strip().lower()).delete()[0])


def address_unlock(*, address: str) -> int:
    return int(AccessAttempt.objects.filter(ip_address=address).delete()[0])


def locked_accounts() -> dict[str, int]:
    """Failures by account, of the accounts that are locked now."""
    recent = AccessAttempt.objects.filter(attempt_time__gt=timezone.now() - settings.AXES_COOLOFF_TIME).order_by()
    counted = recent.values("username").annotate(failures=Sum("failures_since_start"))
    return {row["username"]: row["failures"] for row in counted.filter(failures__gte=settings.AXES_FAILURE_LIMIT)}
