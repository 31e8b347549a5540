"""What somebody wrote runs nowhere: not in the admin of others, not in a spreadsheet, not in a header."""

import csv
import time
from io import StringIO
from typing import Any

import pytest

from accounts.permissions import MANAGER
from core.custom_values import Definition, refuse_slow_pattern, stored
from tests.accounts.files import ATTACHMENTS, PDF, attach, content_of, party_of
from tests.accounts.test_signing import get, signature, signing_key
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.factories.accounts import (
    CustomFieldDefinitionFactory,
    JournalEntryFactory,
    PartyFactory,
    TagFactory,
    TaggedItemFactory,
)

SCRIPT = "<script>alert(1)</script>"


def test_no_page_of_a_row_runs_what_a_member_wrote(acme: Company) -> None:
    with acme.scope():
        party = PartyFactory(name=SCRIPT, custom_fields={"evil": SCRIPT})
        CustomFieldDefinitionFactory(model="accounts.party", key="evil", label=SCRIPT[:100], help_text=SCRIPT, type="text")
        CustomFieldDefinitionFactory(
            model="accounts.party", key="bad", label=SCRIPT, type="choice", choices=[SCRIPT, "</option>" + SCRIPT]
        )
        tag = TagFactory(name=SCRIPT)
        TaggedItemFactory(tag=tag, object_type="accounts.party", object_id=party.pk)
        JournalEntryFactory(object_type="accounts.party", object_id=party.pk, body=SCRIPT)
    attach(acme.api, party, title=SCRIPT)
    acme.api.send("patch", f"/api/v1/parties/{party.pk}/", {"website": "https://x.test"}, headers={"X-Change-Reason": SCRIPT})
    row = f"/admin/accounts/party/{party.pk}/"
    for url in (
        f"{row}change/",
        f"{row}history/",
        f"{row}delete/",
        "/admin/accounts/party/",
        "/admin/accounts/tag/",
        "/admin/accounts/attachment/",
        "/admin/accounts/journalentry/",
        "/admin/accounts/customfielddefinition/",
        "/admin/accounts/auditentry/",
        "/admin/accounts/party/add/",
        "/admin/",
    ):
        for client in (acme.admin, acme.admin_as(MANAGER)):
            response = client.get(url)
            assert response.status_code in (200, 302, 403), url
            assert SCRIPT not in response.content.decode(), url


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "JaVaScRiPt:alert(1)", "//x.test"])
def test_no_address_is_a_program(address: str, acme: Company) -> None:
    with acme.scope():
        CustomFieldDefinitionFactory(model="accounts.party", key="page", type="url")
    assert_problem(acme.api.send("post", "/api/v1/parties/", {"name": "X", "custom_fields": {"page": address}}), 400)


@pytest.mark.parametrize("slug", ["a b", "a,b", "<b>", "../x", "a'--", "ä", ""])
def test_a_slug_is_one(slug: str, acme: Company) -> None:
    assert_problem(acme.api.send("post", "/api/v1/tags/", {"slug": slug, "name": "X"}), 400)


@pytest.mark.parametrize("color", ["red;background:url(//x)", '#fff"><script>', "expression(1)"])
def test_a_color_is_one(color: str, acme: Company) -> None:
    assert_problem(acme.api.send("post", "/api/v1/tags/", {"slug": "x", "name": "X", "color": color}), 400)


@pytest.mark.parametrize("name", ["=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(A1)", "=1"])
def test_no_cell_is_a_formula(name: str, acme: Company) -> None:
    with acme.scope():
        PartyFactory(name=name)
    answer = acme.api.get("/api/v1/parties/", {"name": name}, headers={"Accept": "text/csv"})
    [_, *rows] = csv.reader(StringIO(b"".join(answer.streaming_content).decode()))
    assert rows and not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell[1:]]


@pytest.mark.parametrize(
    "filename", ['a".pdf', "a\r\nX-Evil: 1.pdf", "../../etc/passwd.pdf", "a\u202efdp.exe.pdf", "a;b=c.pdf", "ä/ö.pdf"]
)
def test_no_name_of_a_file_ends_its_header(filename: str, acme: Company) -> None:
    response = attach(acme.api, party_of(acme), PDF, filename)
    assert response.status_code in (201, 400), response.content
    if response.status_code == 201:
        download = acme.api.get(f"{ATTACHMENTS}{response.json()['id']}/download/")
        assert content_of(download) == PDF and "X-Evil" not in download.headers
        assert not set("\r\n/\\\u202e") & set(download.headers["Content-Disposition"].replace("utf-8''", ""))


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+b",
        "(a|a)*b",
        "(a|aa)+$",
        "(.*)*x",
        "([a-z]+)*1",
        "a*a*a*a*a*b",
        "(x+x+)+y",
        "(?:a{1,30}){1,30}b",
        "((a{0,9}){0,9}){0,9}b",
    ],
)
def test_no_pattern_keeps_a_server_busy(pattern: str, acme: Company) -> None:
    with pytest.raises(ValueError, match="too long"):
        refuse_slow_pattern(pattern)
    body = {"model": "accounts.party", "key": "slow", "type": "text", "pattern": pattern}
    assert_problem(acme.api.send("post", "/api/v1/custom-field-definitions/", body), 400)
    assert acme.api.send("post", "/api/v1/custom-field-definitions/bulk/", {"rows": [body]}).status_code == 405


@pytest.mark.parametrize("pattern", ["a*a*a*b", "[a-z]*[a-y]*[a-x]*1", "(ab|cd){1,20}x", ".*.*=.*", "(?i)a*A*b"])
def test_what_is_let_through_is_quick(pattern: str) -> None:
    try:
        refuse_slow_pattern(pattern)
    except ValueError:
        return
    began = time.process_time()
    with pytest.raises(ValueError, match="look like"):
        stored(Definition("k", "K", "text", pattern=pattern), "a" * 200)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "pattern", ["{number.__class__}", "{number:>999999999}", "{year.real}{number}", "{0}", "{number!r}", "{number:{year}}"]
)
def test_no_number_tells_of_the_program(pattern: str, acme: Company) -> None:
    assert_problem(acme.api.send("post", "/api/v1/number-sequences/", {"document_type": "x", "pattern": pattern}), 400)


@pytest.mark.parametrize(
    "address",
    ["/api/v1/parties/", "/api/v1/parties/?search=b", "/api/v1/parties/%3Fsearch=a", "/api/v1/parties/?search=a&limit=1"],
)
def test_a_signature_is_for_one_address(address: str, acme: Company) -> None:
    made = signing_key(acme)
    given = signature(made, "GET", "/api/v1/parties/?search=a")
    assert_problem(get(made, address, given), 401, "signature_invalid")
    assert get(made, "/api/v1/parties/?search=a", given).status_code == 200


def test_a_link_to_a_file_is_of_no_use_beyond_it(acme: Company, bolt: Company) -> None:
    made = attach(acme.api, party_of(acme)).json()
    assert_problem(bolt.api.get(f"{ATTACHMENTS}{made['id']}/link/"), 404)
    url: Any = acme.api.get(f"{ATTACHMENTS}{made['id']}/link/").json()["url"]
    assert content_of(bolt.api.get(url)) == PDF  # the address is the credential, for a minute
    token = url.rstrip("/").rpartition("/")[2]
    assert bolt.api.get(url.replace(token, token[:-2] + "xx")).status_code == 403
    about = {
        "object_type": "accounts.party",
        "object_id": made["object_id"],
        "filename": "a.pdf",
        "size": len(PDF),
        "content_type": "application/pdf",
    }
    upload = acme.api.send("post", f"{ATTACHMENTS}uploads/", about).json()["upload"]
    assert_problem(bolt.api.send("post", f"{ATTACHMENTS}uploads/complete/", {"upload": upload}), 404)
    assert_problem(acme.api.get(f"{ATTACHMENTS.replace('attachments/', 'attachments/downloads/')}{upload}/"), 403, "link_invalid")
