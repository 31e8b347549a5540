"""Thumbnails and avatars."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from accounts.models import User
from accounts.permissions import VIEWER
from core.files import private_files
from tests.accounts.files import ATTACHMENTS, EXE, PDF, attach, bomb, content_of, form, party_of, picture
from tests.companies import Company
from tests.contracts.resources import assert_problem, pointers

AVATAR = "/api/v1/me/avatar/"


def opened(response: Any) -> Image.Image:
    assert response.headers["Content-Type"] == "image/webp"
    return Image.open(BytesIO(content_of(response)))


def rotated_with_a_secret() -> bytes:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "the place where it was taken"
    return picture("JPEG", (400, 100), exif=exif)


@pytest.mark.parametrize(("kind", "name"), [("PNG", "a.png"), ("JPEG", "a.jpg"), ("WEBP", "a.webp"), ("GIF", "a.gif")])
def test_a_thumbnail_of(kind: str, name: str, acme: Company) -> None:
    made = attach(acme.api, party_of(acme), picture(kind), name).json()
    url = f"{ATTACHMENTS}{made['id']}/thumbnail/"
    assert opened(acme.api.get(f"{url}?size=100")).size == (100, 33)
    assert opened(acme.api.get(url)).size == (200, 67)
    assert opened(acme.api.get(f"{url}?size=800")).size == (300, 100), "never larger than the picture"
    assert opened(acme.api.get(f"{url}?size=100", headers={"Accept": "image/png"})).size == (100, 33), "from where it is kept"
    assert "50, 100, 200, 400, 800" in assert_problem(acme.api.get(f"{url}?size=201"), 400, "invalid_parameter")["detail"]


def test_turned_as_the_camera_says_and_without_its_words(acme: Company) -> None:
    made = attach(acme.api, party_of(acme), rotated_with_a_secret(), "a.jpg").json()
    content = content_of(acme.api.get(f"{ATTACHMENTS}{made['id']}/thumbnail/?size=100"))
    assert Image.open(BytesIO(content)).size == (25, 100)
    assert b"the place" not in content and b"Exif" not in content


def test_sees_through_what_is_transparent(acme: Company) -> None:
    clear = BytesIO()
    Image.new("RGBA", (10, 10), (0, 0, 0, 0)).save(clear, "PNG")
    made = attach(acme.api, party_of(acme), clear.getvalue(), "a.png").json()
    assert opened(acme.api.get(f"{ATTACHMENTS}{made['id']}/thumbnail/?size=50")).mode == "RGBA"


@pytest.mark.parametrize(("content", "name"), [
    (picture()[:60], "cut.png"), (b"\x89PNG\r\n\x1a\n" + b"x" * 50, "noise.png"), (picture("JPEG")[:200], "cut.jpg"),
    (bomb(50_000), "bomb.png"), (bomb(7_000), "large.png"), (PDF, "a.pdf"), (b"hello", "a.txt"),
])  # fmt: skip
def test_no_thumbnail_of_what_is_no_picture_or_too_many_pixels(content: bytes, name: str, acme: Company) -> None:
    made = attach(acme.api, party_of(acme), content, name).json()
    assert_problem(acme.api.get(f"{ATTACHMENTS}{made['id']}/thumbnail/"), 409, "no_picture")
    assert content_of(acme.api.get(f"{ATTACHMENTS}{made['id']}/download/")) == content


def test_of_an_older_version(acme: Company) -> None:
    made = attach(acme.api, party_of(acme), picture(), "a.png").json()
    url = f"{ATTACHMENTS}{made['id']}/"
    acme.api.post(f"{url}versions/", form(PDF, "a.pdf"))
    assert_problem(acme.api.get(f"{url}thumbnail/"), 409, "no_picture")
    assert opened(acme.api.get(f"{url}thumbnail/?size=50&version=1")).size == (50, 17)


# --- Avatars ----------------------------------------------------------------------------------------------


def put_avatar(company: Company, content: bytes, name: str = "me.png", role: str = "admin") -> Any:
    boundary = "x0x"
    part = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'.encode()
    body = part + content + f"\r\n--{boundary}--\r\n".encode()
    return company.api_as(role).put(AVATAR, body, content_type=f"multipart/form-data; boundary={boundary}")


def test_ones_own_picture_is_a_square_for_the_members(
    acme: Company, bolt: Company, django_capture_on_commit_callbacks: Any,
) -> None:
    url = f"/api/v1/avatars/{acme.user.pk}/"
    assert_problem(acme.api.get(url), 404, "not_found")
    assert put_avatar(acme, picture("JPEG", (2000, 1000))).status_code == 204
    first = User.objects.get(pk=acme.user.pk).avatar
    with django_capture_on_commit_callbacks(execute=True):
        assert put_avatar(acme, rotated_with_a_secret()).status_code == 204
    assert not private_files().exists(first), "the picture before is gone"
    response = acme.api_as(VIEWER).get(url)
    assert opened(response).size == (100, 100)
    assert put_avatar(acme, picture("JPEG", (2000, 1000))).status_code == 204
    assert opened(acme.api.get(url)).size == (512, 512)
    assert_problem(bolt.api.get(url), 404, "not_found")
    assert_problem(acme.api_by_key("accounts.view_party").get(url), 403, "permission_denied")
    assert 'class="member-picture"' in acme.admin.get("/admin/accounts/membership/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert acme.api.delete(AVATAR).status_code == 204
    assert_problem(acme.api.get(url), 404, "not_found")


@pytest.mark.parametrize("content", [EXE, PDF, bomb(50_000), b"", picture()[:60]])
def test_an_avatar_is_a_picture(content: bytes, acme: Company) -> None:
    response = put_avatar(acme, content)
    assert response.status_code in (400, 409), response.content
    assert User.objects.get(pk=acme.user.pk).avatar == ""


def test_a_key_has_no_avatar(acme: Company) -> None:
    assert_problem(acme.api_by_key("accounts.view_party").put(AVATAR), 403, "permission_denied")
    empty = acme.api.put(AVATAR, b"--x--\r\n", content_type="multipart/form-data; boundary=x")
    assert pointers(assert_problem(empty, 400)) == {"/file"}
