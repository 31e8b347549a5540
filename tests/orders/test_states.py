"""docs/states.md is what the code says, and addresses ask for the permission of their transition."""

from typing import Any

import pytest
from django.core.management import call_command

from accounts.permissions import BUILT_IN, VIEWER, is_known, of_built_in
from config.api import router
from core.permitting import required_permission
from orders.machines import MACHINES, Machine, Transition

STEPS = [(machine, transition) for machine in MACHINES for transition in machine.transitions]
each_step = pytest.mark.parametrize(
    ("machine", "transition"), STEPS, ids=[f"{machine.model._meta.model_name} {one.verb}" for machine, one in STEPS],
)


def test_the_page_is_up_to_date() -> None:
    call_command("state_diagrams", check=True)


@each_step
def test_a_verb_has_the_permission_that_its_transition_declares(machine: Machine, transition: Transition) -> None:
    assert is_known(transition.permission)
    assert transition.permission not in of_built_in(VIEWER)
    assert all(transition.permission in of_built_in(role) for role in BUILT_IN if role != VIEWER)
    found = actions(machine, transition.verb)
    assert bool(found) != transition.follows, "what a refusal says is allowed can be called"
    for action in found:
        view = action.cls(**action.kwargs)
        assert required_permission(view, "POST") == transition.permission


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.model._meta.model_name)
def test_every_state_is_reached_and_left_but_the_last(machine: Machine) -> None:
    column = machine.model._meta.get_field(machine.column)
    states = {value for value, _ in column.flatchoices}
    reached = {target for one in machine.transitions for target in one.targets} | {column.get_default()}
    assert reached == states
    over = set(machine.model.OVER)  # type: ignore[attr-defined]
    assert {state for state in states if not machine.legal(state)} <= over
    assert all(set(one.targets) <= over for one in machine.transitions if set(one.sources) <= over)


def actions(machine: Machine, verb: str) -> list[Any]:
    found = []
    for _, viewset, _ in router.registry:
        if viewset.model() is machine.model:
            for action in viewset.get_extra_actions():
                if verb in (action.__name__, action.url_path):
                    action.cls = viewset
                    found.append(action)
    return found
