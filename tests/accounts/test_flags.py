"""A feature is on for whom its flag says, and for the same people each time."""

from datetime import timedelta
from uuid import UUID, uuid4

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import FeatureFlag
from accounts.queries.flags import bucket, feature_enabled
from tests.companies import Company
from tests.contracts.resources import assert_problem

PEOPLE = [UUID(int=number) for number in range(1000)]


def flag(company: Company, **values: object) -> None:
    with company.scope():
        FeatureFlag.objects.update_or_create(key="new-picking", defaults={"enabled": True, **values})


def having(company: Company) -> set[UUID]:
    with company.scope():
        return {person for person in PEOPLE if feature_enabled("new-picking", user_id=person)}


def test_what_nobody_declared_is_off(acme: Company) -> None:
    with acme.scope():
        assert not feature_enabled("no-such", user_id=uuid4())


def test_off_on_and_expired(acme: Company) -> None:
    for values, expected in [
        ({"enabled": False}, False), ({}, True), ({"expires_at": timezone.now() - timedelta(1)}, False),
        ({"expires_at": timezone.now() + timedelta(1)}, True), ({"rollout_percent": 99}, False),
    ]:  # fmt: skip
        flag(acme, **{"expires_at": None, "rollout_percent": 100, **values})
        with acme.scope():
            assert feature_enabled("new-picking") is expected, values


def test_a_rollout_grows_and_takes_nothing_back(acme: Company) -> None:
    flag(acme, rollout_percent=20)
    few = having(acme)
    assert 140 < len(few) < 260 and having(acme) == few
    flag(acme, rollout_percent=60)
    assert few < having(acme)
    flag(acme, rollout_percent=0)
    assert having(acme) == set()


def test_chosen_people_have_it_first(acme: Company) -> None:
    flag(acme, rollout_percent=0, user_ids=[PEOPLE[7]])
    assert having(acme) == {PEOPLE[7]}


def test_each_flag_begins_with_other_people() -> None:
    assert [bucket("one", person) for person in PEOPLE[:20]] != [bucket("two", person) for person in PEOPLE[:20]]


def test_is_read_once_in_a_request_and_anew_in_the_next(acme: Company, bolt: Company) -> None:
    flag(acme)
    with acme.scope(), CaptureQueriesContext(connection) as queries:
        assert all(feature_enabled("new-picking") for _ in range(10))
    assert len([query for query in queries if "featureflag" in query["sql"]]) == 1
    with bolt.scope():
        assert not feature_enabled("new-picking"), "another organization's flag"
    flag(acme, enabled=False)
    with acme.scope():
        assert not feature_enabled("new-picking")


def test_a_percentage_has_an_end(acme: Company) -> None:
    assert_problem(acme.api.send("post", "/api/v1/feature-flags/", {"key": "x", "rollout_percent": 101}), 400)
