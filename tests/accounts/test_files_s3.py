"""The same files in a bucket: a server that speaks like S3, over HTTP."""

import json
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import requests
from django.core.files.storage import storages

from accounts.models import Attachment
from accounts.services.attachments import attachment_delete_files
from accounts.services.uploads import uploads_purge
from config.settings.base import bucket_storage
from core.files import private_files
from tests.accounts.files import ATTACHMENTS, EXE, PDF, attach, form, party_of, picture
from tests.accounts.test_uploads import complete, listed, start
from tests.companies import Company
from tests.contracts.resources import assert_problem
from tests.moto_server import moto_server

BUCKET = "quartermaster-files"


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    with moto_server() as address:
        yield address


@pytest.fixture
def bucket(endpoint: str, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "eu-central-1",
        "FILES_ENDPOINT_URL": endpoint,
    }.items():
        monkeypatch.setenv(name, value)
    requests.post(f"{endpoint}/moto-api/reset", timeout=10)
    client = boto3.client("s3", endpoint_url=endpoint, region_name="eu-central-1")
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    settings.STORAGES = {**settings.STORAGES, "private": bucket_storage(BUCKET, "")}
    yield client
    storages._storages.pop("private", None)


def keys(bucket: Any) -> list[str]:
    return [one["Key"] for one in bucket.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def fetched(response: Any) -> requests.Response:
    assert response.status_code == 302, response.content
    return requests.get(response.headers["Location"], timeout=10)


def send(started: dict[str, Any], content: bytes = PDF, **fields: str) -> requests.Response:
    assert started["method"] == "POST"
    return requests.post(started["url"], data={**started["fields"], **fields}, files={"file": content}, timeout=10)


def test_what_goes_in_comes_out_of_the_bucket(acme: Company, bucket: Any) -> None:
    made = attach(acme.api, party_of(acme), filename="Größe.pdf").json()
    [key] = keys(bucket)
    assert key.startswith(f"{acme.organization.pk}/{made['id']}/1-")
    kept = bucket.head_object(Bucket=BUCKET, Key=key)
    assert kept["ServerSideEncryption"] == "AES256"
    with acme.scope():
        assert Attachment.objects.get().storage_version == kept["VersionId"]
    response = acme.api.get(f"{ATTACHMENTS}{made['id']}/download/")
    assert response.headers["Cache-Control"] == "private, no-store"
    assert "X-Amz-Expires=60" in response.headers["Location"] and "versionId=" in response.headers["Location"]
    answer = fetched(response)
    assert answer.content == PDF
    assert answer.headers["Content-Disposition"] == "attachment; filename*=utf-8''Gr%C3%B6%C3%9Fe.pdf"
    assert answer.headers["Content-Type"] == "application/pdf"
    shown = fetched(acme.api.get(f"{ATTACHMENTS}{made['id']}/download/?inline=true"))
    assert shown.headers["Content-Disposition"].startswith("inline")
    link = acme.api.get(f"{ATTACHMENTS}{made['id']}/link/").json()["url"]
    assert requests.get(link, timeout=10).content == PDF


def test_versions_and_thumbnails(acme: Company, bucket: Any) -> None:
    made = attach(acme.api, party_of(acme), picture(), "a.png").json()
    url = f"{ATTACHMENTS}{made['id']}/"
    acme.api.post(f"{url}versions/", form(PDF, "a.pdf"))
    assert fetched(acme.api.get(f"{url}download/")).content == PDF
    assert fetched(acme.api.get(f"{url}download/?version=1")).content == picture()
    for _ in range(2):
        small = fetched(acme.api.get(f"{url}thumbnail/?version=1&size=100"))
        assert small.headers["Content-Type"] == "image/webp" and small.content[8:12] == b"WEBP"
    assert len(keys(bucket)) == 3


def test_a_direct_upload(acme: Company, bucket: Any, django_capture_on_commit_callbacks: Any) -> None:
    started = start(acme, party_of(acme), title="March").json()
    assert_problem(complete(acme, started), 409, "nothing_sent")
    sent = send(started)
    assert sent.status_code == 204, sent.content
    assert listed(acme) == []
    with django_capture_on_commit_callbacks(execute=True):
        made = complete(acme, started)
    assert made.status_code == 201, made.content
    [key] = keys(bucket)
    assert not key.startswith("uploads/")
    assert bucket.head_object(Bucket=BUCKET, Key=key)["ServerSideEncryption"] == "AES256"
    # The address of the upload is good for a while yet, but what it writes is nobody's file.
    send(started, EXE[: len(PDF)])
    assert fetched(acme.api.get(f"{ATTACHMENTS}{made.json()['id']}/download/")).content == PDF
    assert complete(acme, started).json() == made.json()
    assert uploads_purge() == 0
    assert uploads_purge(older_than_seconds=0) == 1
    assert keys(bucket) == [key]


def test_the_policy_says_type_and_length(acme: Company, bucket: Any) -> None:
    """S3 holds uploads to it; the server of the tests does not, so the completion has to."""
    started = start(acme, party_of(acme)).json()
    policy = json.loads(b64decode(started["fields"]["policy"]))
    assert ["content-length-range", len(PDF), len(PDF)] in policy["conditions"]
    assert {"Content-Type": "application/pdf"} in policy["conditions"]
    assert {"x-amz-server-side-encryption": "AES256"} in policy["conditions"]
    assert {"key": started["fields"]["key"]} in policy["conditions"] and started["fields"]["key"].startswith("uploads/")
    assert send(started, PDF + b"x").status_code == 204
    assert_problem(complete(acme, started), 400, "size_differs")
    assert listed(acme) == []


@pytest.mark.parametrize("content", [EXE, picture()])
def test_a_lie_is_found_when_it_is_completed(content: bytes, acme: Company, bucket: Any) -> None:
    started = start(acme, party_of(acme), len(content)).json()
    assert send(started, content).status_code == 204
    assert_problem(complete(acme, started), 400, "file_refused")
    assert listed(acme) == [] and [key for key in keys(bucket) if not key.startswith("uploads/")] == []


def test_deleted_for_good(acme: Company, bucket: Any, django_capture_on_commit_callbacks: Any) -> None:
    made = attach(acme.api, party_of(acme), picture(), "a.png").json()
    acme.api.get(f"{ATTACHMENTS}{made['id']}/thumbnail/")
    assert len(keys(bucket)) == 2
    with acme.scope(), django_capture_on_commit_callbacks(execute=True):
        attachment_delete_files(attachment=Attachment.objects.get())
    versions = bucket.list_object_versions(Bucket=BUCKET)
    assert not versions.get("Versions") and not versions.get("DeleteMarkers")


def test_a_file_that_is_gone(acme: Company, bucket: Any) -> None:
    made = attach(acme.api, party_of(acme), picture(), "a.png").json()
    with acme.scope():
        private_files().delete(Attachment.objects.get().storage_key)
    assert_problem(acme.api.get(f"{ATTACHMENTS}{made['id']}/thumbnail/"), 404, "file_missing")


def test_a_key_of_the_installation_encrypts(bucket: Any) -> None:
    parameters = bucket_storage(BUCKET, "alias/files")["OPTIONS"]["object_parameters"]
    assert parameters == {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "alias/files"}
