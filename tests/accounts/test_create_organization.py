import sys
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from accounts.models import Organization, User
from accounts.queries.identity import organizations_of
from accounts.services.sessions import session_open
from core.tenancy import Origin, organization_scope
from tests.companies import PASSWORD, Company


def found(monkeypatch: pytest.MonkeyPatch, slug: str, password: str = PASSWORD, **options: Any) -> str:
    said = StringIO()
    monkeypatch.setattr(sys, "stdin", StringIO(f"{password}\n"))
    options = {"admin": "ann@tea.test", "password_stdin": True, **options}
    call_command("create_organization", slug, stdout=said, **options)
    return said.getvalue()


def test_a_new_organization_with_a_new_admin(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, "tea", name="Tea & Co", currency="USD", timezone="Asia/Tokyo",
          admin="Ann@Tea.test", admin_name="Ann")

    tokens = session_open(email="ann@tea.test", password=PASSWORD, origin=Origin(ip="192.0.2.1"))
    assert (tokens.organization, tokens.roles) == ("tea", ("admin",))
    ann = User.objects.get(email="ann@tea.test")
    assert (ann.name, ann.is_staff, ann.is_superuser) == ("Ann", True, False)
    with organization_scope(organizations_of(ann.pk)[0].id):
        tea = Organization.objects.get(slug="tea")
        assert (tea.name, tea.base_currency, tea.timezone) == ("Tea & Co", "USD", "Asia/Tokyo")


def test_somebody_who_is_here_keeps_the_password(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, "tea", password="another password", admin=acme.user.email)

    tokens = session_open(email=acme.user.email, password=PASSWORD, organization="tea", origin=Origin(ip="192.0.2.1"))
    assert tokens.roles == ("admin",)


@pytest.mark.parametrize(
    ("slug", "options", "message"),
    [
        ("acme", {}, "The slug 'acme' is taken: choose another."),
        ("Tea Co", {}, "slug: Enter a valid"),
        ("tea", {"currency": "euro"}, "'euro' is no currency; write it like EUR."),
        ("tea", {"currency": "XTS"}, "'XTS' is no currency; write it like EUR."),
        ("tea", {"timezone": "Lisbon"}, "'Lisbon' is not a time zone; write it like Europe/Lisbon."),
        ("tea", {"admin": "ann"}, "email: Enter a valid email address."),
        ("tea", {"password": "short"}, "This password is too short."),
        ("tea", {"password_stdin": False}, "give it with --password-stdin"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_made(
    acme: Company, monkeypatch: pytest.MonkeyPatch, slug: str, options: dict[str, Any], message: str,
) -> None:
    people = User.objects.count()

    with pytest.raises(CommandError) as refusal:
        found(monkeypatch, slug, **options)

    assert message in str(refusal.value)
    assert refusal.value.returncode == 2
    assert User.objects.count() == people
