"""Rate limits that hold across processes without a statement for each request.

A process leases requests of the running window from the database and spends them itself. All leases of a window
together are never more than the limit, so the requests are not either; what is leased and not used ends with the window.
"""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Lock

from django.db import connection

MOST_BUCKETS = 10_000  # of a process
HASTE, REST = 1.0, 5.0  # seconds: a lease that is used up sooner doubles; after a pause it is 1 again


@dataclass(frozen=True, slots=True)
class Policy:
    kind: str  # user, key, organization or address
    id: str
    quota: int  # of a window; an organization and a key may have their own


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of a policy after a request, as far as this process knows, and until when."""

    kind: str
    quota: int
    remaining: int
    seconds: float


@dataclass(slots=True)
class _Bucket:
    policy: Policy
    quota: int
    window: int = 0  # when it ends, by the database's clock
    tokens: int = 0
    rest: int = 1  # what nobody had leased when this process last did
    ends: float = 0.0  # the same by ours
    leased: float = 0.0
    size: int = 1

    def renew(self, now: float) -> None:
        if now >= self.ends:
            self.tokens, self.rest = 0, 1

    @property
    def is_empty(self) -> bool:
        return not self.tokens and not self.rest

    def wanted(self, now: float) -> int:
        pause = now - self.leased
        if pause < HASTE:
            self.size = min(2 * self.size, self.quota)
        elif pause > REST:
            self.size = 1
        self.leased = now
        return self.size

    def take(self, tokens: int, rest: int, quota: int, window: int, ends: float) -> None:
        """A lease of another window than the one under way is lost, or loses what is left of the older one."""
        if window < self.window:
            return
        self.tokens = tokens + (self.tokens if window == self.window else 0)
        self.rest, self.quota, self.window, self.ends = rest, quota, window, ends

    def standing(self, now: float) -> Standing:
        return Standing(self.policy.kind, self.quota, self.tokens + self.rest, max(0.0, self.ends - now))


@dataclass(slots=True)
class _Memory:
    lock: Lock = field(default_factory=Lock)
    buckets: dict[tuple[str, str], _Bucket] = field(default_factory=dict)

    def bucket(self, policy: Policy, now: float) -> _Bucket:
        name = policy.kind, policy.id
        if (bucket := self.buckets.get(name)) is None:
            if len(self.buckets) >= MOST_BUCKETS:
                self._make_room(now)
            bucket = self.buckets[name] = _Bucket(policy, policy.quota)
        bucket.renew(now)
        return bucket

    def _make_room(self, now: float) -> None:
        """Buckets whose window is over are not missed; if too few are, all leases are lost, which lets nobody ask more."""
        live = {name: bucket for name, bucket in self.buckets.items() if now < bucket.ends}
        self.buckets = live if len(live) < MOST_BUCKETS else {}


_memory = _Memory()


def forget() -> None:
    """As in a new process: two processes must not spend one lease."""
    global _memory
    _memory = _Memory()


os.register_at_fork(after_in_child=forget)


@dataclass(frozen=True, slots=True)
class Spent:
    """`is_allowed`: each policy had a request left, and this one has been spent."""

    is_allowed: bool
    standings: list[Standing]
    taken: list[tuple[_Bucket, int]]

    def give_back(self) -> None:
        """The request costs nothing after all."""
        with _memory.lock:
            for bucket, window in self.taken:
                if bucket.window == window:
                    bucket.tokens += 1


def requests_spend(*, policies: Sequence[Policy], seconds: int) -> Spent:
    """One request of each policy, whose window has so many seconds. Not inside a scope, because it commits what it leases."""
    memory = _memory
    while True:
        now = time.monotonic()
        with memory.lock:
            buckets = [memory.bucket(policy, now) for policy in policies]
            is_allowed = not any(bucket.is_empty for bucket in buckets)
            dry = [bucket for bucket in buckets if not bucket.tokens]
            if not is_allowed or not dry:
                taken = [(bucket, bucket.window) for bucket in buckets] if is_allowed else []
                for bucket, _ in taken:
                    bucket.tokens -= 1
                return Spent(is_allowed, [bucket.standing(now) for bucket in buckets], taken)
            wanted = [bucket.wanted(now) for bucket in dry]
        leases = _lease([bucket.policy for bucket in dry], wanted, seconds)
        with memory.lock:
            for bucket, (tokens, rest, quota, window, left) in zip(dry, leases, strict=True):
                bucket.take(tokens, rest, quota, window, now + left)


def _lease(policies: Sequence[Policy], wanted: Sequence[int], seconds: int) -> list[tuple[int, int, int, int, float]]:
    """Tokens, what is left for others, the quota, when the window ends, and in how many seconds."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tokens, rest, quota, window_ends, seconds FROM accounts_rate_lease(%s, %s, %s, %s)", [
            seconds, [f"{policy.kind}:{policy.id}" for policy in policies], [policy.quota for policy in policies], list(wanted),
        ])
        leases: list[tuple[int, int, int, int, float]] = cursor.fetchall()
        return leases
