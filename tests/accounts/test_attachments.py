"""Files on rows, kept in a folder: in, out, older versions, and who may."""

from hashlib import sha256
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Attachment, AttachmentVersion, AuditEntry, Role, UserRole
from accounts.permissions import MANAGER, VIEWER
from accounts.services.attachments import attachment_delete_files
from core.files import private_files
from inventory.models import Product
from tests.accounts.files import (
    ATTACHMENTS,
    EXE,
    HTML,
    PDF,
    SVG,
    archive,
    attach,
    content_of,
    form,
    party_of,
    picture,
)  # fmt: skip
from tests.companies import Company
from tests.contracts.resources import assert_problem, ids, pointers
from tests.factories.inventory import ProductFactory


def test_what_goes_in_comes_out(acme: Company) -> None:
    party = party_of(acme)
    response = attach(acme.api, party, kind="invoice", title="March", sha256=sha256(PDF).hexdigest())
    assert response.status_code == 201, response.content
    made = response.json()
    assert (made["filename"], made["content_type"], made["size"]) == ("invoice.pdf", "application/pdf", len(PDF))
    assert (made["sha256"], made["kind"], made["file_version"]) == (sha256(PDF).hexdigest(), "invoice", 1)
    assert response.headers["Location"] == f"http://testserver{ATTACHMENTS}{made['id']}/"
    listed = acme.api.get(ATTACHMENTS, {"object_type": "accounts.party", "object_id": str(party.pk)}).json()["results"]
    assert listed == [made]
    download = acme.api.get(f"{ATTACHMENTS}{made['id']}/download/")
    assert content_of(download) == PDF
    assert download.headers["Content-Type"] == "application/pdf"
    assert download.headers["Content-Disposition"] == 'attachment; filename="invoice.pdf"'
    assert download.headers["X-Content-Type-Options"] == "nosniff"
    assert download.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert download.headers["Cache-Control"] == "private, no-store"


def test_is_shown_in_the_browser_only_where_that_is_safe(acme: Company) -> None:
    party = party_of(acme)
    for content, name, shown in ((picture(), "a.png", "inline"), (PDF, "a.pdf", "inline"), (b"hello", "a.txt", "attachment")):
        made = attach(acme.api, party, content, name).json()
        response = acme.api.get(f"{ATTACHMENTS}{made['id']}/download/?inline=true", headers={"Accept": "image/png"})
        assert response.headers["Content-Disposition"].startswith(shown)


@pytest.mark.parametrize(("content", "filename", "content_type"), [
    (PDF, "a.pdf", "application/pdf"), (picture(), "a.PNG", "image/png"), (picture("JPEG"), "a.jpeg", "image/jpg"),
    (picture("WEBP"), "a.webp", ""), (picture("GIF"), "a.gif", "image/gif"), (b"\xef\xbb\xbfa;b\r\n", "a.csv", "text/csv"),
    ("größe;ß\n".encode("cp1252"), "a.csv", "application/vnd.ms-excel"), (b'{"a": 1}', "a.json", "application/json"),
    ("Größe <b>".encode(), "a.txt", "text/plain; charset=utf-8"),
    (archive("[Content_Types].xml", "xl/workbook.xml"), "a.xlsx", "application/octet-stream"),
    (archive("[Content_Types].xml", "word/document.xml"), "a.docx", ""),
])  # fmt: skip
def test_takes(content: bytes, filename: str, content_type: str, acme: Company) -> None:
    response = attach(acme.api, party_of(acme), content, filename, content_type=content_type)
    assert response.status_code == 201, response.content


@pytest.mark.parametrize(("content", "filename", "content_type"), [
    (EXE, "invoice.pdf", "application/pdf"), (EXE, "setup.exe", ""), (HTML, "a.png", "image/png"), (HTML, "a.html", "text/html"),
    (HTML, "a.txt", "text/plain"), (b"\n  " + SVG, "a.txt", ""), (SVG, "a.svg", "image/svg+xml"), (b"", "a.txt", ""),
    (PDF, "a.png", "image/png"), (PDF, "a.pdf", "text/html"), (picture(), "a.jpg", "image/jpeg"), (picture(), "a.html", ""),
    (archive("a.txt"), "a.xlsx", ""), (archive("a.txt"), "a.zip", "application/zip"), (b"PK\x03\x04broken", "a.docx", ""),
    (archive("word/document.xml", "word/vbaProject.bin"), "a.docx", ""), (archive("xl/workbook.xml"), "a.docx", ""),
    (b"a\0b", "a.txt", ""), (b"\xca\xfe\xba\xbe\0\0\0\x41", "a.csv", ""),
    (picture() + archive("evil.class"), "a.png", ""), (PDF + archive("evil.class"), "a.pdf", ""),
    (b"GIF89a/*" + HTML + b"*/", "a.gif", ""), (b"\xff\xd8\xff\xe0 %PDF-1.4 ", "a.jpg", ""),
])  # fmt: skip
def test_refuses_what_is_not_allowed_or_not_what_it_says(
    content: bytes, filename: str, content_type: str, acme: Company,
) -> None:
    problem = assert_problem(attach(acme.api, party_of(acme), content, filename, content_type=content_type), 400)
    assert pointers(problem) == {"/file"}
    with acme.scope():
        assert not Attachment.objects.exists()


@pytest.mark.parametrize(("sent", "kept"), [
    ("../../etc/passwd.txt", "passwd.txt"), ("C:\\temp\\Rechnung Größe.txt", "Rechnung Größe.txt"), ("日本語.txt", "日本語.txt"),
    ("a\u202etxt.exe.txt", "atxt.exe.txt"), ("note", "note.txt"), ("x" * 400 + ".txt", "x" * 200 + ".txt"), ("..txt", "txt.txt"),
])  # fmt: skip
def test_a_name_is_a_name_and_no_path(sent: str, kept: str, acme: Company) -> None:
    body = form(b"hello", "x.txt")
    body["file"]._name = sent  # as a client may send it; Django's own class cleans it
    made = acme.api.post(f"{ATTACHMENTS}files/", {**body, "object_type": "accounts.party", "object_id": party_of(acme).pk}).json()
    assert made["filename"] == kept
    response = acme.api.get(f"{ATTACHMENTS}{made['id']}/download/")
    assert content_of(response) == b"hello" and "/" not in response.headers["Content-Disposition"].replace("utf-8''", "")
    with acme.scope():
        key = Attachment.objects.get().storage_key
    assert key.startswith(f"{acme.organization.pk}/{made['id']}/1-") and "txt" not in key


def test_too_large(acme: Company, settings: Any) -> None:
    settings.FILES_MAX_BYTES = 100
    assert_problem(attach(acme.api, party_of(acme), b"x" * 101, "a.txt"), 413, "too_large")
    assert attach(acme.api, party_of(acme), b"x" * 100, "a.txt").status_code == 201
    # So long that nothing of it is read, by whatever credentials.
    for client in (acme.api, acme.admin):
        assert_problem(attach(client, party_of(acme), b"x" * 100_000, "a.txt"), 413, "too_large")
    assert acme.admin.post("/admin/accounts/party/add/", form(b"x" * 100_000, "a.txt")).status_code == 400


def test_what_arrived_otherwise_than_it_was_sent(acme: Company) -> None:
    response = attach(acme.api, party_of(acme), sha256="0" * 64)
    assert pointers(assert_problem(response, 400, "checksum_differs")) == {"/sha256"}
    assert_problem(attach(acme.api, party_of(acme), sha256="x"), 400, "invalid")


def test_only_forms_come_in(acme: Company) -> None:
    assert_problem(acme.api.send("post", f"{ATTACHMENTS}files/", {}), 415, "unsupported_media_type")
    assert_problem(acme.api.send("post", ATTACHMENTS, {}), 405, "method_not_allowed")
    assert pointers(assert_problem(acme.api.post(f"{ATTACHMENTS}files/", {"no_such": "1"}), 400)) == {"/no_such"}
    missing = assert_problem(acme.api.post(f"{ATTACHMENTS}files/", {"title": "x"}), 400)
    assert pointers(missing) == {"/file", "/object_type", "/object_id"}


# --- Versions ---------------------------------------------------------------------------------------------


def test_older_versions_stay(acme: Company) -> None:
    made = attach(acme.api, party_of(acme)).json()
    url = f"{ATTACHMENTS}{made['id']}/"
    newer = acme.api.post(f"{url}versions/", form(picture(), "scan.png"))
    assert newer.status_code == 200, newer.content
    assert (newer.json()["file_version"], newer.json()["content_type"], newer.json()["version"]) == (2, "image/png", 2)
    assert [(v["number"], v["filename"]) for v in acme.api.get(f"{url}versions/").json()] == [(2, "scan.png"), (1, "invoice.pdf")]
    assert content_of(acme.api.get(f"{url}download/")) == picture()
    assert content_of(acme.api.get(f"{url}download/?version=1")) == PDF
    assert_problem(acme.api.get(f"{url}download/?version=3"), 404)
    for wrong in ("0", "x", "9" * 30):
        assert_problem(acme.api.get(f"{url}download/?version={wrong}"), 400, "invalid_parameter")
    with acme.scope():
        [entry, _] = AuditEntry.objects.filter(row_id=made["id"]).order_by("-id")
        assert entry.changes["sha256"] == [sha256(PDF).hexdigest(), sha256(picture()).hexdigest()]


def test_a_refused_version_changes_nothing(acme: Company) -> None:
    made = attach(acme.api, party_of(acme)).json()
    url = f"{ATTACHMENTS}{made['id']}/"
    assert_problem(acme.api.post(f"{url}versions/", form(EXE, "invoice.pdf")), 400, "file_refused")
    acme.api.delete(url)
    assert_problem(acme.api.post(f"{url}versions/", form(PDF, "invoice.pdf")), 409, "archived")
    assert acme.api.get(url).json()["file_version"] == 1
    with acme.scope():
        assert AttachmentVersion.objects.count() == 1


def test_no_file_without_a_row(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []
    real = private_files().save
    monkeypatch.setattr(private_files(), "save", lambda key, content: saved.append(real(key, content)))
    attach(acme.api, party_of(acme), title="x" * 200)
    assert [private_files().exists(key) for key in saved] == [True]
    with acme.scope(), pytest.raises(IntegrityError), transaction.atomic():
        Attachment.objects.create(object_type="accounts.party", object_id=uuid4(), size=0)


def test_deleted_for_good(acme: Company, django_capture_on_commit_callbacks: Any) -> None:
    made = attach(acme.api, party_of(acme), picture(), "a.png").json()
    acme.api.get(f"{ATTACHMENTS}{made['id']}/thumbnail/?size=50")
    with acme.scope():
        row = Attachment.objects.get()
        with django_capture_on_commit_callbacks(execute=True):
            attachment_delete_files(attachment=row)
        assert not AttachmentVersion.objects.exists()
    assert not private_files().exists(row.storage_key) and not private_files().exists(f"{row.storage_key}-50.webp")


# --- Who may ----------------------------------------------------------------------------------------------


def test_what_a_file_may_hang_on(acme: Company, bolt: Company) -> None:
    with acme.scope():
        product = ProductFactory()
    assert attach(acme.api, product).json()["object_type"] == "inventory.product"
    foreign = attach(acme.api, party_of(bolt))
    assert pointers(assert_problem(foreign, 400, "does_not_exist")) == {"/object_id"}
    for strange in ("accounts.user", "accounts.attachment", "accounts.organization", "notifications.job", "no.such", "x"):
        body = {"object_type": strange, "object_id": str(uuid4()), **form(PDF, "a.pdf")}
        response = acme.api.post(f"{ATTACHMENTS}files/", body)
        assert pointers(assert_problem(response, 400)) == {"/object_type"}


def test_another_organization_finds_nothing(acme: Company, bolt: Company) -> None:
    made = attach(acme.api, party_of(acme), picture(), "a.png").json()
    for below in ("", "download/", "thumbnail/", "versions/", "link/"):
        assert_problem(bolt.api.get(f"{ATTACHMENTS}{made['id']}/{below}"), 404, "not_found")
    assert_problem(bolt.api.post(f"{ATTACHMENTS}{made['id']}/versions/", form(PDF, "a.pdf")), 404, "not_found")
    assert bolt.api.get(ATTACHMENTS).json()["results"] == []


def test_who_may_not_see_the_row_sees_no_file(acme: Company) -> None:
    with acme.scope():
        product = ProductFactory()
    made = attach(acme.api, product).json()
    url = f"{ATTACHMENTS}{made['id']}/"
    blind = acme.api_by_key("accounts.view_attachment", "accounts.view_party")
    for below in ("", "download/", "versions/", "link/"):
        assert_problem(blind.get(url + below), 404, "not_found")
    assert blind.get(ATTACHMENTS).json()["results"] == []
    seeing = acme.api_by_key("accounts.view_attachment", "inventory.view_product")
    assert content_of(seeing.get(f"{url}download/")) == PDF
    assert_problem(acme.api_by_key("inventory.view_product").get(f"{url}download/"), 403, "permission_denied")


def test_who_may_not_change_the_row_changes_no_file(acme: Company) -> None:
    with acme.scope():
        product = ProductFactory()
    made = attach(acme.api, product).json()
    url = f"{ATTACHMENTS}{made['id']}/"
    verbs = [f"accounts.{verb}_attachment" for verb in ("view", "add", "change", "delete")]
    reader = acme.api_by_key(*verbs, "inventory.view_product")
    start = {"filename": "a.pdf", "size": 9, "content_type": "application/pdf"}
    about = {"object_type": "inventory.product", "object_id": str(product.pk)}
    for response in (
        attach(reader, product), reader.post(f"{url}versions/", form(PDF, "a.pdf")), reader.delete(url),
        reader.send("patch", url, {"title": "x"}), reader.send("post", f"{url}restore/"),
        reader.send("post", f"{ATTACHMENTS}uploads/", {**start, **about}),
        reader.send("post", f"{ATTACHMENTS}uploads/", {**start, "attachment": made["id"]}),
    ):
        assert "inventory.change_product" in assert_problem(response, 403, "permission_denied")["detail"]
    assert_problem(attach(acme.api_as(VIEWER), product), 403, "permission_denied")
    assert attach(acme.api_as(MANAGER), product).status_code == 201


def test_the_permission_counts_at_each_download(acme: Company) -> None:
    made = attach(acme.api, party_of(acme)).json()
    member = acme.members[VIEWER]
    with acme.scope():
        role = Role.objects.create(code="clerk", name="Clerk", permissions=["accounts.view_attachment", "accounts.view_party"])
        given = UserRole.objects.get(membership__user=member.user)
        UserRole.objects.create(membership_id=given.membership_id, role=role)
        given.delete()
    api, url = acme.api_as(VIEWER), f"{ATTACHMENTS}{made['id']}/download/"
    assert content_of(api.get(url)) == PDF
    with acme.scope():
        role.permissions = ["accounts.view_attachment"]
        role.save()
    assert_problem(api.get(url), 404, "not_found")


def test_a_row_that_is_gone_takes_its_files_along(acme: Company) -> None:
    with acme.scope():
        product = ProductFactory()
    made = attach(acme.api, product).json()
    with acme.scope():
        Product.objects.filter(pk=product.pk).delete()
    assert_problem(acme.api.get(f"{ATTACHMENTS}{made['id']}/download/"), 404)


def test_a_file_that_the_storage_lost_is_no_crash(acme: Company) -> None:
    made = attach(acme.api, party_of(acme), picture(), "a.png").json()
    with acme.scope():
        private_files().delete(Attachment.objects.get().storage_key)
    for below in ("download/", "thumbnail/"):
        assert_problem(acme.api.get(f"{ATTACHMENTS}{made['id']}/{below}"), 404, "file_missing")
    assert ids(acme.api.get(ATTACHMENTS).json()["results"]) == [made["id"]]
