"""Direct uploads and signed addresses, where a folder keeps the files: an address of our own takes them."""

from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.utils import timezone

from accounts.models import Attachment
from accounts.services.uploads import upload_receive, uploads_purge
from core.errors import Invalid
from core.files import private_files
from tests.accounts.files import ATTACHMENTS, EXE, PDF, attach, content_of, form, party_of, picture
from tests.companies import Api, Company
from tests.contracts.resources import assert_problem, pointers

UPLOADS = f"{ATTACHMENTS}uploads/"


def start(company: Company, row: Any, size: int = len(PDF), **values: Any) -> Any:
    body = {
        "object_type": row._meta.label_lower, "object_id": str(row.pk), "filename": "invoice.pdf", "size": size,
        "content_type": "application/pdf", **values,
    }  # fmt: skip
    return company.api.send("post", UPLOADS, {name: value for name, value in body.items() if value is not None})


def send(started: dict[str, Any], content: bytes = PDF) -> Any:
    """By nobody in particular: the address is the credential."""
    assert (started["method"], started["fields"]) == ("PUT", {})
    return Api().put(started["url"], content, content_type=started["headers"]["Content-Type"])


def complete(company: Company, started: dict[str, Any]) -> Any:
    return company.api.send("post", f"{UPLOADS}complete/", {"upload": started["upload"]})


def listed(company: Company) -> list[Any]:
    return company.api.get(ATTACHMENTS).json()["results"]


def staged() -> list[Path]:
    return [path for path in (Path(settings.STORAGES["private"]["OPTIONS"]["location"]) / "uploads").rglob("*") if path.is_file()]


def test_started_sent_completed(acme: Company, django_capture_on_commit_callbacks: Any) -> None:
    party = party_of(acme)
    started = start(acme, party, title="March", kind="invoice", sha256=sha256(PDF).hexdigest())
    assert started.status_code == 201 and started.headers["Cache-Control"] == "no-store"
    assert_problem(complete(acme, started.json()), 409, "nothing_sent")
    assert send(started.json()).status_code == 204
    assert listed(acme) == [], "nothing is there before it is completed"
    assert_problem(send(started.json(), EXE[: len(PDF)]), 409, "already_sent")
    with django_capture_on_commit_callbacks(execute=True):
        made = complete(acme, started.json())
    assert made.status_code == 201, made.content
    assert (made.json()["title"], made.json()["sha256"]) == ("March", sha256(PDF).hexdigest())
    assert content_of(acme.api.get(f"{ATTACHMENTS}{made.json()['id']}/download/")) == PDF
    assert complete(acme, started.json()).json() == made.json(), "asked again, it answers the same"
    assert len(listed(acme)) == 1
    assert_problem(send(started.json()), 409, "already_sent")


def test_a_new_version(acme: Company) -> None:
    made = attach(acme.api, party_of(acme), picture(), "a.png").json()
    started = start(acme, party_of(acme), attachment=made["id"], object_type=None, object_id=None).json()
    send(started)
    assert complete(acme, started).json()["file_version"] == 2
    assert complete(acme, started).json()["file_version"] == 2


@pytest.mark.parametrize(("content", "said"), [
    (EXE, {}), (picture(), {}), (PDF, {"filename": "a.exe"}), (PDF, {"content_type": "image/png", "filename": "a.png"}),
    (PDF, {"sha256": "0" * 64}),
])  # fmt: skip
def test_what_is_not_as_it_was_said_is_not_taken(content: bytes, said: dict[str, str], acme: Company) -> None:
    started = start(acme, party_of(acme), len(content), **said).json()
    assert send(started, content).status_code == 204
    assert_problem(complete(acme, started), 400)
    assert listed(acme) == []
    with acme.scope():
        assert not Attachment.objects.exists()


def test_the_size_is_what_was_said(acme: Company) -> None:
    started = start(acme, party_of(acme)).json()
    assert_problem(send(started, PDF + b"x"), 400, "size_differs")
    assert_problem(send(started, b""), 400, "size_differs")
    assert send(started).status_code == 204


def test_who_breaks_off_may_send_again(acme: Company) -> None:
    started = start(acme, party_of(acme)).json()
    with pytest.raises(Invalid):
        upload_receive(token=started["upload"], size=len(PDF), chunks=[PDF[:10]])
    assert send(started).status_code == 204


def test_what_cannot_be_started(acme: Company, bolt: Company) -> None:
    party = party_of(acme)
    assert_problem(start(acme, party, settings.FILES_MAX_BYTES + 1), 413, "too_large")
    assert pointers(assert_problem(start(acme, party, content_type="text/html"), 400, "file_refused")) == {"/content_type"}
    assert pointers(assert_problem(start(acme, party, object_id=None), 400)) == {"/object_id"}
    assert pointers(assert_problem(start(bolt, party), 400)) == {"/object_id"}
    foreign = attach(acme.api, party).json()
    assert_problem(start(bolt, party, attachment=foreign["id"]), 404, "not_found")


def test_an_upload_belongs_to_its_organization(acme: Company, bolt: Company) -> None:
    started = start(acme, party_of(acme)).json()
    send(started)
    assert_problem(complete(bolt, started), 404, "not_found")
    assert_problem(complete(acme, {"upload": started["upload"][:-2] + "xx"}), 403, "link_invalid")


def test_an_upload_expires(acme: Company) -> None:
    started = start(acme, party_of(acme)).json()
    with time_machine.travel(timezone.now() + timedelta(minutes=16), tick=False):
        assert_problem(send(started), 403, "link_expired")
    send(started)
    with time_machine.travel(timezone.now() + timedelta(minutes=61), tick=False):
        assert_problem(complete(acme, started), 403, "link_expired")


def test_what_nobody_completes_is_purged(acme: Company) -> None:
    send(start(acme, party_of(acme)).json())
    before = len(staged())
    assert before and uploads_purge() == 0
    assert uploads_purge(older_than_seconds=0) == before
    assert staged() == []


def test_a_link_needs_no_credentials_for_a_minute(acme: Company) -> None:
    made = attach(acme.api, party_of(acme)).json()
    url = f"{ATTACHMENTS}{made['id']}/"
    link = acme.api.get(f"{url}link/").json()
    assert link["expires_in"] == 60
    acme.api.post(f"{url}versions/", form(picture(), "a.png"))
    assert content_of(Api().get(link["url"])) == PDF, "it is bound to its version"
    assert content_of(Api().get(acme.api.get(f"{url}link/?inline=true").json()["url"])) == picture()
    head, _, signature = link["url"].rstrip("/").rpartition(":")
    for forged in (f"{head}:{signature[:-1]}x/", link["url"].replace("downloads/", "downloads/x")):
        assert_problem(Api().get(forged), 403, "link_invalid")
    with time_machine.travel(timezone.now() + timedelta(seconds=62), tick=False):
        assert_problem(Api().get(link["url"]), 403, "link_expired")


def test_the_folder_is_for_us_alone(acme: Company) -> None:
    attach(acme.api, party_of(acme))
    with acme.scope():
        path = Path(private_files().path(Attachment.objects.get().storage_key))  # type: ignore[attr-defined]
    assert (path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    for prefix in ("/static/", "/media/", "/files/", "/"):
        assert Api().get(f"{prefix}{path.relative_to(settings.STORAGES['private']['OPTIONS']['location'])}").status_code == 404


def test_completed_twice_at_once_is_one(new_company: Any) -> None:
    from django.db import connection

    company = new_company()
    made = attach(company.api, party_of(company)).json()
    started = start(company, party_of(company), attachment=made["id"], object_type=None, object_id=None).json()
    send(started)
    answers: list[Any] = []

    def finish() -> None:
        answers.append(complete(company, started))
        connection.close()

    threads = [Thread(target=finish) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {(answer.status_code, answer.json()["file_version"]) for answer in answers} == {(201, 2)}
