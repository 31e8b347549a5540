from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from django.db import models

MACHINES: "list[Machine]" = []

type Guard = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Transition:
    """From one of the states in `sources` to `target`, or to one of `besides` where the service says so.

    `guard` raises Conflict; `event` is the type that is published.
    """

    verb: str
    sources: tuple[str, ...]
    target: str
    permission: str
    event: type
    guard: Guard | None = None
    guarded_by: str = ""  # the guard in words, for the drawing
    besides: tuple[str, ...] = ()
    stays: bool = False  # it leads to where it came from
    follows: bool = False  # it comes of what becomes of other documents: nobody calls it

    @property
    def targets(self) -> tuple[str, ...]:
        return (self.target, *self.besides)


class Machine:
    """The states of a column of a model. Raises ValueError for a verb or a state that is declared wrongly.

    `marks` says what each step writes into other columns.
    """

    def __init__(self, model: type[models.Model], transitions: Sequence[Transition], *, column: str = "status",
                 marks: Callable[[], dict[str, Any]] = dict) -> None:
        self.model, self.column, self.transitions, self.marks = model, column, tuple(transitions), marks
        self.field = cast(Any, model._meta.get_field(column))
        states = {value for value, _ in self.field.flatchoices}
        for one in self.transitions:
            if unknown := {*one.sources, *one.targets} - states:
                raise ValueError(f"{model.__name__} has no state {', '.join(sorted(unknown))}: look at {one.verb}.")
        self.by_verb = {one.verb: one for one in self.transitions}
        if len(self.by_verb) != len(self.transitions):
            raise ValueError(f"{model.__name__} has two transitions of one verb.")
        MACHINES.append(self)

    def state_of(self, row: Any) -> str:
        return str(getattr(row, self.column))

    def legal(self, state: str) -> list[str]:
        """The verbs that somebody may call now, in the order in which they are declared."""
        return [one.verb for one in self.transitions if state in one.sources and not one.follows]

    def diagram(self) -> str:
        """As Mermaid draws it."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.field.get_default()}"]
        for one in self.transitions:
            guard = f" [{one.guarded_by}]" if one.guarded_by else ""
            lines += [
                f"    {source} --> {target}: {one.verb}{guard}"
                for source in one.sources for target in one.targets if source != target and not one.stays
            ]
        return "\n".join(lines)
