import pytest

from accounts.models import Party
from core.errors import Forbidden, Invalid
from core.objects import object_models, object_of, object_type, refuse_without, viewable_types
from tests.companies import Company
from tests.factories.accounts import PartyFactory


def test_finds_a_row_by_its_type_and_id(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory()
        assert object_type(party) == "accounts.party"
        assert object_of("accounts.party", party.pk) == party


def test_a_foreign_row_is_not_there(acme: Company, bolt: Company) -> None:
    with bolt.scope():
        foreign = PartyFactory()
    with acme.scope(), pytest.raises(Invalid) as refusal:
        object_of("accounts.party", foreign.pk)
    assert refusal.value.code == "does_not_exist" and "object_id" in refusal.value.fields


@pytest.mark.parametrize("name", ["accounts.organization", "accounts.apikey", "auth.group", "no.such", "", "accounts.Party"])
def test_nothing_hangs_on_any_other_row(name: str, acme: Company) -> None:
    with acme.scope() as _, pytest.raises(Invalid) as refusal:
        object_of(name, acme.organization.pk)
    assert "accounts.party" in refusal.value.fields["object_type"]


def test_asks_for_the_permission_of_the_row_itself() -> None:
    refuse_without({"accounts.change_party"}, "accounts.party", "change")
    with pytest.raises(Forbidden, match=r"accounts\.change_party"):
        refuse_without({"accounts.view_party"}, "accounts.party", "change")
    assert viewable_types({"accounts.view_party", "accounts.view_apikey"}) == ["accounts.party"]
    assert object_models()["accounts.party"] is Party
