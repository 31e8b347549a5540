"""The chain of seals over the audit entries of an organization, and what does not agree with it.

A seal covers the entries after the one before it, in the order of their ids. It keeps 24 bytes of each: the id
(big-endian, 8 bytes) and the first 16 bytes of the SHA-256 of the entry's content, which is the UTF-8 text of the
JSON array

    [organization_id, table_name, row_id, action, changes, actor_id, impersonator_id, api_key_id,
     request_id, reason, ip, created_at]

as PostgreSQL writes jsonb, with created_at in microseconds since 1970. The id is no part of the content, so that
two entries that changed places can be told from two that were changed.

The seal's hash is the SHA-256 of the UTF-8 text "<previous hash>:<organization>:<number>:<first id>:<last id>:<entries>:"
and those bytes. The first seal's previous hash is 64 zeros.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import orjson
from django.core.files.storage import storages
from django.db import connections

FOLDER = "audit-seals"
NO_HASH = "0" * 64
ID_BYTES, RECORD_BYTES = 8, 24

CONTENT = """jsonb_build_array(
    e.organization_id, e.table_name, e.row_id, e.action, e.changes, e.actor_id, e.impersonator_id, e.api_key_id,
    e.request_id, e.reason, e.ip,
    (extract(epoch FROM e.created_at) * 1000000)::bigint)"""
RECORD = f"int8send(e.id) || substring(sha256(convert_to({CONTENT}::text, 'UTF8')) FROM 1 FOR 16)"

# The records of the entries in a range of ids.
RANGE = f"""
    SELECT string_agg({RECORD}, ''::bytea ORDER BY e.id) FROM accounts_auditentry AS e
    WHERE e.organization_id = %s AND e.id > %s AND e.id <= %s
"""
NEXT_SEAL = """
    SELECT number, first_id, last_id, entries, previous_hash, hash, digests, storage_key FROM accounts_auditseal
    WHERE organization_id = %s AND number > %s ORDER BY number LIMIT 1
"""
UNSEALED = "SELECT count(*) FROM accounts_auditentry WHERE organization_id = %s AND id > %s"
BEFORE_ALL = -(2**63)


class Link(NamedTuple):
    """A seal, as it stands in the database."""

    number: int
    first_id: int
    last_id: int
    entries: int
    previous_hash: str
    hash: str
    digests: bytes
    storage_key: str


class Deviation(NamedTuple):
    """`position` is the place in the seal, from 0; None where the seal itself is meant, or it has no such entry."""

    kind: str  # changed, removed, inserted, swapped; and of seals: seal changed, seal removed, copy differs, copy missing
    seal: int
    entry_id: int | None = None
    position: int | None = None
    other_id: int | None = None

    def __str__(self) -> str:
        where = f"seal {self.seal}" + ("" if self.position is None else f", position {self.position}")
        if self.entry_id is None:
            return f"{self.kind}: {where}"
        other = "" if self.other_id is None else f" and {self.other_id}"
        return f"{self.kind}: entry {self.entry_id}{other} ({where})"


class Found(NamedTuple):
    """What a check goes through: a seal's deviations, and how many entries it looked at."""

    link: Link
    deviations: list[Deviation]


def seal_hash(organization_id: UUID, link: Link) -> str:
    head = f"{link.previous_hash}:{organization_id}:{link.number}:{link.first_id}:{link.last_id}:{link.entries}:"
    return sha256(head.encode() + link.digests).hexdigest()


def checked(organization_id: UUID) -> Iterator[Found]:
    """Every seal with what deviates, one at a time, so that memory holds one. By the worker's role."""
    hash_before, number, last_id = NO_HASH, 0, BEFORE_ALL
    while link := _next(organization_id, number):
        deviations = list(_of_chain(organization_id, link, number, hash_before))
        after = last_id if link.number == number + 1 else link.first_id - 1
        found = records(organization_id, after, link.last_id)
        if found != link.digests:
            deviations += compare(link.number, link.digests, found)
        yield Found(link, deviations)
        hash_before, number, last_id = link.hash, link.number, link.last_id


def check_copies(organization_id: UUID, links: Mapping[int, str]) -> Iterator[Deviation]:
    """`links` has the hash of each seal that stands in the database; a copy beyond the last says that seals were removed."""
    last = max(links, default=0)
    copies = _copies(organization_id)
    for number, expected in links.items():
        if number not in copies:
            yield Deviation("copy missing", number)
        elif expected not in copies[number]:
            yield Deviation("copy differs", number)
    yield from (Deviation("seal removed", number) for number in sorted(copies) if number > last)


def copy_path(organization_id: UUID) -> str:
    return f"{FOLDER}/{organization_id}"


def copy_of(organization_id: UUID, link: Link) -> bytes:
    """What is kept in object storage: all of a seal but where its copy is."""
    values = {**link._asdict(), "organization_id": organization_id, "digests": link.digests.hex()}
    del values["storage_key"]
    return orjson.dumps(values, option=orjson.OPT_SORT_KEYS)


def copy_digest(organization_id: UUID, link: Link) -> str:
    return sha256(copy_of(organization_id, link)).hexdigest()


def unsealed(organization_id: UUID, last_id: int) -> int:
    with connections["worker"].cursor() as cursor:
        cursor.execute(UNSEALED, [organization_id, last_id])
        return int(cursor.fetchone()[0])


def records(organization_id: UUID, after: int, last: int) -> bytes:
    with connections["worker"].cursor() as cursor:
        cursor.execute(RANGE, [organization_id, after, last])
        return bytes(cursor.fetchone()[0] or b"")


def compare(seal: int, sealed: bytes, found: bytes) -> list[Deviation]:
    """By id; two changed entries of which each has the other's content have changed places."""
    then, now = _by_id(sealed), _by_id(found)
    position = {entry_id: number for number, entry_id in enumerate(then)}
    changed = [entry_id for entry_id in then if entry_id in now and now[entry_id] != then[entry_id]]
    deviations, paired = [], set()
    holders = {then[entry_id]: entry_id for entry_id in changed}
    for entry_id in changed:
        other = holders.get(now[entry_id])
        if entry_id in paired:
            continue
        if other is not None and other != entry_id and now[other] == then[entry_id]:
            paired |= {entry_id, other}
            deviations.append(Deviation("swapped", seal, entry_id, position[entry_id], other))
        else:
            deviations.append(Deviation("changed", seal, entry_id, position[entry_id]))
    deviations += [Deviation("removed", seal, entry_id, position[entry_id]) for entry_id in then if entry_id not in now]
    deviations += [Deviation("inserted", seal, entry_id) for entry_id in now if entry_id not in then]
    return sorted(deviations, key=lambda deviation: deviation.entry_id or 0)


def _next(organization_id: UUID, number: int) -> Link | None:
    with connections["worker"].cursor() as cursor:
        cursor.execute(NEXT_SEAL, [organization_id, number])
        row: Sequence | None = cursor.fetchone()
    return Link._make([*row[:6], bytes(row[6]), row[7]]) if row else None


def _of_chain(organization_id: UUID, link: Link, number: int, hash_before: str) -> Iterator[Deviation]:
    for missing in range(number + 1, link.number):
        yield Deviation("seal removed", missing)
    follows = link.number != number + 1 or link.previous_hash == hash_before
    if not follows or link.hash != seal_hash(organization_id, link):
        yield Deviation("seal changed", link.number)


def _copies(organization_id: UUID) -> dict[int, set[str]]:
    """The digests of the copies of each number; mostly one."""
    storage, path = storages["private"], copy_path(organization_id)
    try:
        names = storage.listdir(path)[1]
    except FileNotFoundError:
        return {}
    found: dict[int, set[str]] = {}
    for name in names:
        with storage.open(f"{path}/{name}") as file:
            found.setdefault(int(name.partition("-")[0]), set()).add(sha256(file.read()).hexdigest())
    return found


def _by_id(content: bytes) -> dict[int, bytes]:
    parts = (content[start : start + RECORD_BYTES] for start in range(0, len(content), RECORD_BYTES))
    return {int.from_bytes(part[:ID_BYTES], "big", signed=True): part[ID_BYTES:] for part in parts}
