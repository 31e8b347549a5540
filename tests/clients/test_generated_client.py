"""A client that a generator made of our description, used as a customer's program would."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from accounts.permissions import MANAGER
from tests.companies import PASSWORD, Company

PACKAGE = "quartermaster_client"
# It would format with a tool that need not be there; it knows files by one name alone.
CONFIG = """
post_hooks: []
content_type_overrides:
  "*/*": application/octet-stream
  application/pdf: application/octet-stream
  application/xml: application/octet-stream
  application/zip: application/octet-stream
  image/png: application/octet-stream
  image/webp: application/octet-stream
"""


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Imports a module of the generated package, such as "api.me.me_retrieve"."""
    folder = tmp_path_factory.mktemp("client")
    (folder / "config.yml").write_text(CONFIG)
    command = [
        str(Path(sys.executable).with_name("openapi-python-client")), "generate", "--meta", "none", "--fail-on-warning",
        "--path", str(settings.BASE_DIR / "docs/openapi.json"), "--output-path", str(folder / PACKAGE),
        "--config", str(folder / "config.yml"),
    ]  # fmt: skip
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield lambda name: import_module(f"{PACKAGE}.{name}")
    sys.path.remove(str(folder))


def test_signs_in_lists_creates_and_updates(
    generated: Callable[[str], Any], server: str, new_company: Callable[[], Company],
) -> None:
    company = new_company()
    models, client = generated("models"), generated("client")
    anonymous = client.Client(base_url=server, raise_on_unexpected_status=True)
    credentials = models.SignInRequest(email=company.members[MANAGER].user.email, password=PASSWORD)
    tokens = generated("api.auth.auth_token_create").sync(client=anonymous, body=credentials)

    signed_in = client.AuthenticatedClient(base_url=server, token=tokens.access_token, raise_on_unexpected_status=True)
    me = generated("api.me.me_retrieve").sync(client=signed_in)
    assert (me.email, me.roles) == (credentials.email, [MANAGER])

    made = generated("api.parties.parties_create").sync(
        client=signed_in, body=models.PartyRequest(name="Exotic Liquids", payment_terms_days=30),
    )
    assert (made.name, made.payment_terms_days, made.version) == ("Exotic Liquids", 30, 1)

    changed = generated("api.parties.parties_partial_update").sync(
        made.id, client=signed_in, body=models.PatchedPartyRequest(payment_terms_days=14),
    )
    assert (changed.payment_terms_days, changed.version) == (14, 2)

    page = generated("api.parties.parties_list").sync(client=signed_in, search="exotic", limit=10)
    assert [(party.id, party.payment_terms_days) for party in page.results] == [(made.id, 14)]
    assert page.next_ is None


def test_a_problem_is_a_model_too(generated: Callable[[str], Any], server: str, new_company: Callable[[], Company]) -> None:
    new_company()
    nobody = generated("client").AuthenticatedClient(base_url=server, token="forged")
    answer = generated("api.me.me_retrieve").sync_detailed(client=nobody)
    assert answer.status_code == 401
    assert answer.parsed.code == "not_authenticated"
