"""Operators' commands work for one organization at a time, or say what they do for all."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from inventory.models import ReorderTask
from tests.companies import Company
from tests.inventory.goods import Goods


def said(command: str, *arguments: str) -> str:
    out = StringIO()
    call_command(command, *arguments, stdout=out)
    return out.getvalue()


def test_a_check_for_one_leaves_the_other_alone(new_company: Callable[[], Company]) -> None:
    ours, theirs = new_company(), new_company()
    for company in (ours, theirs):
        with company.scope():
            Goods.create().rule()
    assert said("reorder_check", "--organization", ours.organization.slug) == "Made 1 tasks.\n"
    with ours.scope():
        assert ReorderTask.objects.count() == 1
    with theirs.scope():
        assert not ReorderTask.objects.exists()


def test_verify_names_the_rows_of_the_organization_it_was_asked_for(new_company: Callable[[], Company]) -> None:
    ours, theirs = new_company(), new_company()
    with theirs.scope():
        goods = Goods.create()
        goods.receive(1)
    said_of_ours = said("verify", "--organization", ours.organization.slug)
    assert ours.organization.slug in said_of_ours
    assert theirs.organization.slug not in said_of_ours


@pytest.mark.parametrize("command", ["reorder_check", "verify"])
def test_an_unknown_organization(command: str, commits: None) -> None:
    with pytest.raises(CommandError, match="There is no organization 'nobody'") as refused:
        call_command(command, "--organization", "nobody")
    assert refused.value.returncode == 2
