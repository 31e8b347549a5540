"""gzip for those who take it, never for secrets; and a tag that was seen compressed still guards the row."""

import gzip
import zlib
from typing import Any

import pytest

from tests.companies import PASSWORD, Company
from tests.contracts.resources import Resource, each_resource
from tests.factories.inventory import ProductFactory

GZIP = {"Accept-Encoding": "gzip, deflate, br"}


def padded(company: Company) -> str:
    """A row whose JSON is longer than what is left alone."""
    with company.scope():
        return f"/api/v1/products/{ProductFactory(description='long ' * 400).pk}/"


@each_resource()
def test_says_the_same_compressed(resource: Resource, acme: Company) -> None:
    resource.make(acme, 12)
    plain, packed = acme.api.get(resource.url), acme.api.get(resource.url, headers=GZIP)
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["ETag"] == plain.headers["ETag"]
    if len(plain.content) < 1024:
        assert packed.content == plain.content
        return
    assert "Accept-Encoding" in plain.headers["Vary"] and "Accept-Encoding" in packed.headers["Vary"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) == len(packed.content) < len(plain.content)
    assert gzip.decompress(packed.content) == plain.content


@each_resource()
def test_streams_csv_compressed(resource: Resource, acme: Company) -> None:
    resource.make(acme, 3)
    plain, packed = (
        acme.api.get(resource.url, headers={"Accept": "text/csv", **more}) for more in ({}, GZIP)
    )  # fmt: skip
    assert packed.headers["Content-Encoding"] == "gzip" and packed.streaming
    reader = zlib.decompressobj(zlib.MAX_WBITS | 16)
    assert b"".join(reader.decompress(chunk) for chunk in packed.streaming_content) + reader.flush() == plain.getvalue()


def test_the_tag_of_a_compressed_row_guards_it(acme: Company) -> None:
    url = padded(acme)
    plain, packed = acme.api.get(url), acme.api.get(url, headers=GZIP)
    tag = packed.headers["ETag"]
    assert packed.headers["Content-Encoding"] == "gzip"
    assert tag != plain.headers["ETag"] and not tag.startswith("W/"), "strong, because its bytes differ from the plain ones"
    for headers in ({"If-None-Match": tag}, {"If-None-Match": tag, **GZIP}, {"If-None-Match": plain.headers["ETag"], **GZIP}):
        again = acme.api.get(url, headers=headers)
        assert (again.status_code, again.content, "Content-Encoding" in again.headers) == (304, b"", False)
    written = acme.api.send("patch", url, {"name": "Seen"}, headers={"If-Match": tag, **GZIP})
    assert (written.status_code, written.headers["Content-Encoding"]) == (200, "gzip")
    assert acme.api.send("patch", url, {"name": "Unseen"}, headers={"If-Match": tag}).status_code == 412
    assert acme.api.send("patch", url, {"name": "Again"}, headers={"If-Match": written.headers["ETag"]}).status_code == 200


@pytest.mark.parametrize(("accepts", "is_packed"), [
    ("gzip", True), ("GZIP;q=0.5", True), ("br, gzip ; q=1.0", True), ("gzip;q=0", False), ("gzip; q=0.0", False), ("br", False),
    ("identity", False), ("", False), ("x-gzipped", False),
])  # fmt: skip
def test_takes_the_client_at_its_word(accepts: str, is_packed: bool, acme: Company) -> None:
    response = acme.api.get(padded(acme), headers={"Accept-Encoding": accepts})
    assert ("Content-Encoding" in response.headers) == is_packed


def test_secrets_are_left_alone(acme: Company) -> None:
    """A length must not tell how much of a guess is right."""
    body = {"name": "Long", "scopes": ["accounts.view_party"], "allowed_networks": [f"10.{n}.0.0/16" for n in range(90)]}
    response = acme.api.send("post", "/api/v1/api-keys/", body, headers=GZIP)
    assert response.status_code == 201 and len(response.content) > 1024
    assert "no-store" in response.headers["Cache-Control"] and "Content-Encoding" not in response.headers
    tokens = {"email": acme.user.email, "password": PASSWORD}
    signed_in: Any = acme.api.send("post", "/api/v1/auth/token/", tokens, headers=GZIP)
    assert signed_in.status_code == 200 and "Content-Encoding" not in signed_in.headers
    assert "Content-Encoding" not in acme.admin.get("/admin/", headers=GZIP).headers
