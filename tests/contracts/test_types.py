"""A value of the wrong JSON type is a mistake, not something to guess at."""

from typing import Any

from rest_framework import serializers

from tests.companies import Company
from tests.contracts.resources import Resource, assert_problem, each_resource_with, pointers

WRONG: tuple[tuple[type[serializers.Field], tuple[Any, ...]], ...] = (
    (serializers.BooleanField, ("true", 1)),
    (serializers.IntegerField, ("1", True, 1.5)),
    (serializers.DecimalField, (True, ["1"])),
    (serializers.UUIDField, (1,)),
    (serializers.CharField, (1, True, ["a"])),
)


def typed(resource: Resource) -> list[str]:
    """One field of each kind."""
    names: dict[type, str] = {}
    if resource.takes("patch"):
        for name, field in resource.writable.items():
            for kind, _ in WRONG:
                if isinstance(field, kind):
                    names.setdefault(kind, name)
    return list(names.values())


@each_resource_with(name=typed)
def test_refuses_the_wrong_type(resource: Resource, name: str, acme: Company) -> None:
    [row] = resource.make(acme)
    values = next(values for kind, values in WRONG if isinstance(resource.writable[name], kind))
    for value in values:
        problem = assert_problem(acme.api.send("patch", resource.row_url(row), {name: value}), 400)
        assert pointers(problem) == {f"/{name}"}
        assert problem["errors"][0]["code"] == "wrong_type"
