"""What need not be kept of past requests, of all organizations: for the daily purge, as the worker."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import IdempotencyRecord, RateWindow, UsedNonce


def idempotency_purge() -> int:
    """Answers that are not repeated any more; how many."""
    return _expired(IdempotencyRecord)


def nonce_purge() -> int:
    """Nonces of signatures that are too old to be accepted anyway; how many."""
    return _expired(UsedNonce)


def rate_window_purge() -> int:
    """Who has not asked for a day; how many."""
    yesterday = int((timezone.now() - timedelta(days=1)).timestamp())
    return RateWindow.objects.using("worker").filter(ends__lt=yesterday).delete()[0]


def _expired(model: type[IdempotencyRecord | UsedNonce]) -> int:
    count: int = model.every_organization.using("worker").filter(expires_at__lte=timezone.now()).delete()[0]
    return count
