"""A document goes from one state to another: one conditional UPDATE, which writes the line of its timeline too."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db import connection
from uuid_utils.compat import uuid7

from core.errors import Conflict, NotFound
from core.kept import Beside, Kept, values_of
from core.objects import object_type
from core.tenancy import active_scope
from notifications.event_types import type_of
from notifications.services.events import publish_all, telling, told_of
from orders.machines import Machine

# Of who acts now; `from_state` to `to_state` follow, and a note.
TIMELINE = """INSERT INTO accounts_journalentry
            (id, organization_id, object_type, object_id, kind, author_id, api_key_id, pinned, from_state, to_state, body)"""
ENTERED = Kept("entered", f"""{TIMELINE}
    SELECT %s::uuid, %s::uuid, %s::text, %s::uuid, 'status', %s::uuid, %s::uuid, false, %s::text, %s::text, ''
""")
STEP = f"""
    WITH {{besides}}before AS (
        SELECT id, {{column}} AS state FROM {{table}} WHERE organization_id = %(organization)s AND id = %(id)s FOR NO KEY UPDATE
    ), changed AS (
        UPDATE {{table}} AS t SET {{column}} = %(target)s{{columns}}
        FROM before AS b WHERE t.organization_id = %(organization)s AND t.id = b.id AND b.state = ANY (%(sources)s)
        RETURNING t.id, b.state
    ), told AS (
        {TIMELINE}
        SELECT %(entry)s, %(organization)s, %(kind)s, c.id, 'status', %(actor)s, %(key)s, false, c.state, %(target)s, %(note)s
        FROM changed AS c
    ){{along}}
    SELECT b.state, EXISTS (SELECT FROM changed) FROM before AS b
"""


def step(
    machine: Machine, row: Any, verb: str, *, note: str = "", target: str = "", event: object = None,
    besides: Sequence[Beside] = (), **columns: Any,
) -> str:
    """The row takes the verb's target state and these values of its columns; answers the state before.

    `target` chooses among several that the transition has. `event` is published along: it is that of the transition, and says
    what is true afterwards. Without one, the caller publishes it, with `told`. `besides` goes along in the same statement.

    Raises Conflict where the state does not allow the verb, naming what it allows, or where the guard refuses; NotFound if the
    row is gone.
    """
    transition = machine.by_verb[verb]
    target = target or transition.target
    if target not in transition.targets:
        raise ValueError(f"{verb} does not lead to {target}.")
    if transition.guard is not None:
        transition.guard(row)
    columns = {**machine.marks(), **columns}
    options = machine.model._meta
    fields: list[Any] = [options.get_field(name) for name in columns]
    sets = "".join(f", {field.column} = %(value_{number})s" for number, field in enumerate(fields))
    values = {
        f"value_{number}": field.get_db_prep_save(columns[name], connection)
        for number, (name, field) in enumerate(zip(columns, fields, strict=True))
    }
    along = []
    if event is not None:
        _check_event(machine, verb, event)
        along = [Beside(telling("changed"), told_of(event, aggregate_id=row.pk))]
    sql = STEP.format(
        table=options.db_table, column=machine.field.column, columns=sets,
        besides="".join(f"{one.statement.head}, " for one in besides), along="".join(f", {one.statement.head}" for one in along),
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, {
            **values_of([*besides, *along]), **values, **entry_of(machine), "id": row.pk, "target": target,
            "sources": list(transition.sources), "note": note,
        })
        found = cursor.fetchone()
    if found is None:
        raise NotFound(f"There is no such {options.verbose_name}.")
    before, changed = found
    if not changed:
        raise refusal(machine, before, verb)
    setattr(row, machine.column, target)
    for name, value in columns.items():
        setattr(row, name, value)
    return str(before)


def entered(machine: Machine, key: UUID, before: str, after: str) -> Beside:
    """The line of the timeline of a row that is made in a state which others come to by a step."""
    entry = entry_of(machine)
    return Beside(ENTERED, [
        entry["entry"], entry["organization"], entry["kind"], key, entry["actor"], entry["key"], before, after,
    ])


def entry_of(machine: Machine) -> dict[str, Any]:
    """What TIMELINE is told."""
    scope = active_scope()
    return {
        "organization": scope.organization_id, "entry": uuid7(), "kind": object_type(machine.model),
        "actor": scope.origin.actor_id, "key": scope.origin.api_key_id,
    }


def allow(machine: Machine, row: Any, verb: str) -> None:
    """Before a service begins, of a row that it has locked: raises Conflict as `step` would."""
    transition = machine.by_verb[verb]
    if machine.state_of(row) not in transition.sources:
        raise refusal(machine, machine.state_of(row), verb)
    if transition.guard is not None:
        transition.guard(row)


def refusal(machine: Machine, state: str, verb: str) -> Conflict:
    """What is said where a state does not allow a verb; a program reads `allowed`."""
    legal = machine.legal(state)
    name = str(machine.model._meta.verbose_name)
    ways = f"it allows {', '.join(legal)}" if legal else "nothing follows it"
    conflict = Conflict(
        f"This {name} is {state.replace('_', ' ')}, which does not allow {verb.replace('_', ' ')}: {ways}.", code="wrong_status",
    )
    conflict.members = {"status_now": state, "allowed": legal}
    return conflict


def told(machine: Machine, verb: str, event: object, *, aggregate_id: UUID) -> None:
    """Publish the event of a transition. Raises TypeError for one that the machine does not declare."""
    told_all(machine, [(verb, event)], aggregate_id=aggregate_id)


def told_all(machine: Machine, happened: Sequence[tuple[str, object]], *, aggregate_id: UUID) -> None:
    """The same of several verbs that one row took in turn, each with its event, in one statement."""
    for verb, event in happened:
        _check_event(machine, verb, event)
    publish_all([(event, aggregate_id) for _, event in happened])


def _check_event(machine: Machine, verb: str, event: object) -> None:
    declared = machine.by_verb[verb].event
    if type_of(event) is not type_of(declared):
        raise TypeError(f"{verb} publishes {type_of(declared).name}, not {type_of(event).name}.")
