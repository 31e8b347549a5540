from typing import Any

import pytest

from accounts.models import CustomFieldDefinition, Party
from accounts.permissions import MANAGER, VIEWER
from accounts.services.customizing import definition_delete, definition_save
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem, ids, pointers
from tests.factories.accounts import PartyFactory

FILTERS, PARTIES = "/api/v1/saved-filters/", "/api/v1/parties/"


def save(api: Api, **values: Any) -> dict[str, Any]:
    response = api.send("post", FILTERS, {"model": "accounts.party", "name": "Mine", **values})
    assert response.status_code == 201, response.content
    saved: dict[str, Any] = response.json()
    return saved


@pytest.fixture
def parties(acme: Company) -> list[Party]:
    with acme.scope():
        return [PartyFactory(name=name) for name in ("Zinc", "Zenith", "Alum")]


def test_a_list_by_a_saved_filter(acme: Company, parties: list[Party]) -> None:
    saved = save(acme.api, query="search=z&limit=1", columns=["id", "name"], sort="name")
    for named in (saved["id"], "Mine"):
        page = acme.api.get(PARTIES, {"saved_filter": named}).json()
        assert page["results"] == [{"id": str(parties[1].pk), "name": "Zenith"}]
        following = acme.api.get(page["next"]).json()
        assert [row["name"] for row in following["results"]] == ["Zinc"] and following["next"] is None


def test_what_the_request_says_comes_first(acme: Company, parties: list[Party]) -> None:
    save(acme.api, query="search=z", columns=["name"], sort="name")
    found = acme.api.get(PARTIES, {"saved_filter": "Mine", "search": "al", "fields": "id"}).json()["results"]
    assert found == [{"id": str(parties[2].pk)}]
    down = acme.api.get(PARTIES, {"saved_filter": "Mine", "sort": "-name"}).json()["results"]
    assert [row["name"] for row in down] == ["Zinc", "Zenith"]


@pytest.mark.parametrize(("values", "field"), [
    ({"query": "colour=red"}, "query"), ({"query": "limit=0"}, "query"), ({"query": "cf.colour=red"}, "query"),
    ({"query": "cursor=x"}, "query"), ({"query": "saved_filter=x"}, "query"), ({"query": "archived=perhaps"}, "query"),
    ({"query": "sort=name"}, "sort"), ({"sort": "version"}, "sort"), ({"columns": ["salary"]}, "columns"),
    ({"query": "fields=id"}, "columns"), ({"model": "accounts.apikeys"}, "model"), ({"visibility": "all"}, "visibility"),
])  # fmt: skip
def test_refuses_a_filter_that_fits_no_list(values: dict[str, Any], field: str, acme: Company) -> None:
    response = acme.api.send("post", FILTERS, {"model": "accounts.party", "name": "Mine", **values})
    assert pointers(assert_problem(response, 400)) == {f"/{field}"}
    assert acme.api.get(FILTERS).json()["results"] == []


def test_one_that_fits_no_longer_says_so(acme: Company, parties: list[Party]) -> None:
    with acme.scope():
        definition = definition_save(definition=CustomFieldDefinition(model="accounts.party", key="colour"))
    save(acme.api, query="cf.colour=red")
    assert acme.api.get(PARTIES, {"saved_filter": "Mine"}).json()["results"] == []
    with acme.scope():
        definition_delete(definition=definition)
    problem = assert_problem(acme.api.get(PARTIES, {"saved_filter": "Mine"}), 400, "invalid_parameter")
    assert "does not fit this list any more" in problem["detail"] and "colour" in problem["detail"]
    assert problem["errors"][0]["parameter"] == "saved_filter"


def test_a_private_one_is_its_owners(acme: Company, parties: list[Party]) -> None:
    saved = save(acme.api_as(MANAGER), query="search=z")
    url = f"{FILTERS}{saved['id']}/"
    assert_problem(acme.api.get(url), 404)
    assert acme.api.get(FILTERS).json()["results"] == []
    assert_problem(acme.api.send("patch", url, {"name": "x"}), 404)
    for named in (saved["id"], "Mine"):
        assert_problem(acme.api.get(PARTIES, {"saved_filter": named}), 400, "invalid_parameter")


def test_a_shared_one_is_used_by_all_and_changed_by_its_owner(acme: Company, bolt: Company, parties: list[Party]) -> None:
    saved = save(acme.api_as(MANAGER), query="search=al", visibility="shared")
    for role in (MANAGER, VIEWER):
        found = acme.api_as(role).get(PARTIES, {"saved_filter": "Mine"}).json()["results"]
        assert ids(found) == [str(parties[2].pk)]
    url = f"{FILTERS}{saved['id']}/"
    assert_problem(acme.api.send("patch", url, {"name": "Ours"}), 403, "permission_denied")
    assert_problem(acme.api.delete(url), 403)
    for named in (saved["id"], "Mine"):
        assert_problem(bolt.api.get(PARTIES, {"saved_filter": named}), 400, "invalid_parameter")


def test_ones_own_comes_before_a_shared_one_of_the_same_name(acme: Company, parties: list[Party]) -> None:
    save(acme.api_as(MANAGER), query="search=al", visibility="shared")
    save(acme.api, query="search=z")
    assert len(acme.api.get(PARTIES, {"saved_filter": "Mine"}).json()["results"]) == 2
    assert len(acme.api_as(VIEWER).get(PARTIES, {"saved_filter": "Mine"}).json()["results"]) == 1


def test_a_filter_of_another_list_is_not_there(acme: Company) -> None:
    saved = save(acme.api)
    assert_problem(acme.api.get("/api/v1/products/", {"saved_filter": saved["id"]}), 400, "invalid_parameter")


def test_a_key_uses_shared_ones_and_saves_none(acme: Company, parties: list[Party]) -> None:
    save(acme.api, query="search=al", visibility="shared")
    key = acme.api_by_key("accounts.view_party", "accounts.add_savedfilter")
    assert ids(key.get(PARTIES, {"saved_filter": "Mine"}).json()["results"]) == [str(parties[2].pk)]
    assert_problem(key.send("post", FILTERS, {"model": "accounts.party", "name": "Machine"}), 403)
