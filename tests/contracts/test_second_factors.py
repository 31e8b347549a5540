"""Where a second factor is required, no address is forgotten."""

import pytest
from django.conf import settings

from accounts.models import Organization
from accounts.permissions import ADMIN
from config.api import ANONYMOUS
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.contracts.test_addresses import ADDRESSES, CLOSED, url_of

OPEN = settings.OPEN_WITHOUT_SECOND_FACTOR


@pytest.mark.parametrize("name", [name for name in CLOSED if name not in OPEN])
def test_who_has_none_is_refused_everywhere(name: str, acme: Company) -> None:
    with acme.scope():
        Organization.objects.update(require_mfa=True)
    api = acme.api_as(ADMIN)
    for method in ("get", "post", "put", "patch", "delete"):
        assert_problem(api.send(method, url_of(name)), 403, "second_factor_enrolment_required")


def test_what_is_open_is_there_and_serves_enrolling_alone() -> None:
    own = {name for name in OPEN if ":" not in name}
    assert own <= ADDRESSES.keys()
    assert own - ANONYMOUS == {
        "second-factors", "second-factor", "totp-begin", "totp-activate", "recovery-codes", "webauthn-begin",
        "webauthn-complete", "sign-out",
    }
