"""Operators' commands work for one organization at a time, or say what they do for all."""

from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from core.management.commands.verify import SHOWN
from inventory.models import Location, ReorderTask, StockItem
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


def test_verify_shows_the_first_rows_of_what_fails_and_says_how_many_there_are(new_company: Callable[[], Company]) -> None:
    company = new_company()
    with company.scope():
        goods = Goods.create()
        shelves = Location.objects.bulk_create(
            [Location(warehouse=goods.warehouse, code=f"S-{number}", kind="storage") for number in range(SHOWN + 2)]
        )
        StockItem.objects.bulk_create(
            [StockItem(variant=goods.bolt, warehouse=goods.warehouse, location=shelf, quantity=2) for shelf in shelves]
        )
    said = []
    for more in ([], ["--all-rows"]):
        out = StringIO()
        with pytest.raises(SystemExit):
            call_command("verify", "--organization", company.organization.slug, *more, stdout=out, stderr=StringIO())
        said.append(out.getvalue())
    shown, everything = said
    assert shown.count("balance 2") == SHOWN and "     and 2 more, which --all-rows names\n" in shown
    assert everything.count("balance 2") == SHOWN + 2 and "--all-rows" not in everything
    with company.scope():
        StockItem.objects.filter(location__in=shelves).update(quantity=0)
    call_command("verify", "--organization", company.organization.slug, stdout=StringIO())  # it is mended
