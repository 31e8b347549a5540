"""Files on the pages of rows, and the page of an attachment."""

import re
from typing import Any

from django.contrib.messages import get_messages

from accounts.models import Attachment
from accounts.permissions import VIEWER
from core.files import private_files
from tests.accounts.files import EXE, PDF, attach, content_of, form, party_of, picture
from tests.admin.pages import listed, text
from tests.companies import Company
from tests.factories.inventory import ProductFactory, StockMoveFactory


def said(response: Any) -> list[str]:
    return [str(message) for message in get_messages(response.wsgi_request)]


def own_attachments(company: Company) -> list[Attachment]:
    with company.scope():
        return list(Attachment.objects.order_by("id"))


def test_the_page_of_a_row_shows_and_takes_its_files(acme: Company) -> None:
    party = party_of(acme)
    page = f"/admin/accounts/party/{party.pk}/change/"
    assert "No file is attached yet." in text(acme.admin.get(page))
    response = acme.admin.post(f"/admin/accounts/party/{party.pk}/attach/", form(picture(), "logo.png", title="The logo"))
    assert response.headers["Location"] == f"{page}#attachments"
    shown = text(acme.admin.get(page))
    assert "The logo" in shown and "logo.png, " in shown and "version 1" in shown
    [address] = re.findall(r'href="([^"]*/download/)"', shown)
    assert content_of(acme.admin.get(address)) == picture()
    [thumbnail] = re.findall(r'src="([^"]*/thumbnail/[^"]*)"', shown)
    assert acme.admin.get(thumbnail).headers["Content-Type"] == "image/webp"


def test_says_why_a_file_is_refused(acme: Company) -> None:
    url = f"/admin/accounts/party/{party_of(acme).pk}/attach/"
    [reason] = said(acme.admin.post(url, form(EXE, "invoice.pdf")))
    assert "are not taken" in reason
    assert said(acme.admin.post(url, {})) == ["Choose a file first."]
    assert own_attachments(acme) == []


def test_who_may_not_change_the_row_attaches_nothing(acme: Company, bolt: Company) -> None:
    party = party_of(acme)
    attach(acme.api, party)
    shown = text(acme.admin_as(VIEWER).get(f"/admin/accounts/party/{party.pk}/change/"))
    assert "invoice.pdf" in shown and 'name="file"' not in shown
    url = f"/admin/accounts/party/{party.pk}/attach/"
    assert acme.admin_as(VIEWER).post(url, form(PDF, "a.pdf")).status_code == 403
    assert bolt.admin.post(url, form(PDF, "a.pdf")).status_code == 404
    assert len(own_attachments(acme)) == 1


def test_a_page_without_files_has_no_such_part(acme: Company) -> None:
    with acme.scope():
        move = StockMoveFactory()
    made = attach(acme.api, party_of(acme)).json()
    assert 'id="attachments"' not in text(acme.admin.get(f"/admin/accounts/attachment/{made['id']}/change/"))
    assert 'id="attachments"' not in text(acme.admin.get("/admin/accounts/party/add/"))
    assert 'name="file"' not in text(acme.admin.get(f"/admin/inventory/stockmove/{move.pk}/change/")), "a ledger is read"


def test_the_page_of_an_attachment(acme: Company) -> None:
    made = attach(acme.api, party_of(acme), title="March").json()
    page = f"/admin/accounts/attachment/{made['id']}/change/"
    shown = text(acme.admin.get(page))
    assert "/admin/accounts/party/" in shown and made["sha256"] in shown and 'enctype="multipart/form-data"' in shown
    changed = acme.admin.post(page, {"title": "April", "kind": "invoice", **form(picture(), "scan.png")})
    assert changed.status_code == 302, text(changed)
    [row] = own_attachments(acme)
    assert (row.title, row.kind, row.filename, row.file_version) == ("April", "invoice", "scan.png", 2)
    shown = text(acme.admin.get(page))
    assert "?version=1" in shown and "?version=2" in shown
    refused = text(acme.admin.post(page, {"title": "May", "kind": "other", **form(EXE, "a.exe")}))
    assert "Files of type" in refused
    assert (own_attachments(acme)[0].title, own_attachments(acme)[0].file_version) == ("April", 2)
    with private_files().open(row.storage_key) as file:
        assert file.read() == picture()


def test_the_list_shows_files_of_rows_that_one_may_see(acme: Company) -> None:
    with acme.scope():
        product = ProductFactory()
    attach(acme.api, product, title="Drawing")
    attach(acme.api, party_of(acme), title="Invoice")
    assert set(listed(acme.admin.get("/admin/accounts/attachment/"))) == {"Drawing", "Invoice"}
    assert acme.admin.get("/admin/accounts/attachment/add/").status_code == 403
