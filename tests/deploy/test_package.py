"""The archive of `make package`, unpacked and run as Lambda runs it: no package of ours within reach but those inside."""

import base64
import gzip
import hashlib
import json
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.test import override_settings

from config.settings import base
from infra.package import PRODUCT, build
from infra.problems import PackageProblem
from infra.trimming import SERVICES, UNNEEDED
from tests.companies import PASSWORD, Company
from tests.deploy.runtime_api import Runtime, runtime_packages
from tests.deploy.test_on_lambda import HOST, as_admin, asked, environment

ROOT = Path(settings.BASE_DIR)
ARCHITECTURE = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
MOST = 30_000_000  # bytes
PYTHON = (ROOT / ".python-version").read_text().strip()

pytestmark = pytest.mark.skipif(
    f"{sys.version_info.major}.{sys.version_info.minor}" != PYTHON, reason=f"the package is made by Lambda's Python {PYTHON}",
)

# What the trimming must leave whole, because no request of these tests comes by it.
RARELY_USED = """
import boto3, stripe, fido2.server, core.files_s3
from fpdf import FPDF
stripe.StripeClient("sk", http_client=stripe.RequestsClient(timeout=1)).v1.payment_intents
for service in ("events", "s3", "sns", "sqs"):
    boto3.client(service, region_name="eu-west-1")
from barcode.codex import Code128
import segno, yaml
from PIL import Image
for format in ("PNG", "JPEG", "WEBP", "GIF"):
    Image.new("RGB", (8, 8)).save("/dev/null", format)
page = FPDF()
page.add_page()
page.set_font("helvetica", size=9)
page.cell(text="x")
assert page.output().startswith(b"%PDF")
from datetime import UTC, datetime
from orders.papers import sheet
paper = sheet.document(sheet.Sheet("Faktura", datetime.now(UTC), ["Łódź, Αθήνα"]))
sheet.write(paper, "Łódź, Αθήνα", size=9)
assert b"FontFile2" in paper.output()
import httpx2
with httpx2.Client(trust_env=False) as client:
    try:
        client.get("http://127.0.0.1:9/")
    except httpx2.ConnectError:
        pass
client = stripe.StripeClient("sk", http_client=stripe.RequestsClient(timeout=1), base_addresses={"api": "http://127.0.0.1:9"})
for call in (client.v1.payment_intents.retrieve, client.v1.refunds.retrieve):
    try:
        call("x_1")
    except stripe.APIConnectionError:
        pass
held = {"object": "payment_intent", "latest_charge": {"object": "charge", "payment_method_details": {"card": {}}}}
assert stripe.PaymentIntent.construct_from(held, "sk").latest_charge.object == "charge"
import fontTools.subset, fontTools.varLib.instancer
"""


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("dev", ARCHITECTURE, tmp_path_factory.mktemp("package") / "package.zip")


@pytest.fixture(scope="module")
def package(archive: Path) -> Path:
    shutil.unpack_archive(archive, archive.with_name("task"))
    return archive.with_name("task")


@pytest.fixture(scope="module")
def variables(package: Path, django_db_setup: None) -> dict[str, str]:
    found = environment(package, {"SECRET_KEY": settings.SECRET_KEY})
    return {**found, "PYTHONPATH": f"{package}:{runtime_packages(package.with_name('runtime'))}"}


@pytest.fixture(scope="module")
def function(package: Path, variables: dict[str, str], django_db_blocker: Any) -> Iterator[Runtime]:
    handler = "config.on_lambda.lambda_handler"
    with django_db_blocker.unblock(), Runtime(handler, package, variables, options=["-S"]) as runtime:
        yield runtime


def test_it_is_small_and_holds_what_runs_alone(archive: Path) -> None:
    assert archive.stat().st_size < MOST
    with ZipFile(archive) as read:
        names = read.namelist()
        times = {entry.date_time for entry in read.infolist()}
    assert len(times) == 1
    folders = {name.partition("/")[0] for name in names}
    assert folders >= {*PRODUCT, "zappa_settings.pyc", "staticfiles", "docs"}
    assert not folders & {"tests", "bench", "demo", "infra", "scripts", "manage.py", "moto", "pytest", "zappa_settings.json"}
    assert [name for name in names if name.startswith("docs/")] == ["docs/openapi.json"]
    assert not [name for name in names if name.endswith(".py")]
    assert not [name for name in names if "/." in f"/{name}" or re.search(r"settings/(local|test)\.", name)]


def test_made_twice_it_is_the_same(archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    again = build("dev", ARCHITECTURE, tmp_path / "again.zip")
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(archive.read_bytes()).digest()


def test_no_secret_of_this_machine_is_inside(package: Path) -> None:
    secrets = [settings.SECRET_KEY.encode(), str(settings.DATA_DIR).encode()]
    ours = [path for name in (*PRODUCT, "zappa_settings.pyc") for path in [package / name, *(package / name).rglob("*")]]
    found = [path for path in ours if path.is_file() and any(secret in path.read_bytes() for secret in secrets)]
    assert found == []


def test_the_api_answers_from_it(function: Runtime, new_company: Callable[[], Company]) -> None:
    company = new_company()
    made = asked(
        function, "/api/v1/parties/", "POST", body='{"name": "Wien"}', content_type="application/json", **as_admin(company),
    ).value
    assert made["statusCode"] == 201, made["body"]
    read = asked(function, made["headers"]["Location"].partition("/dev")[2], **as_admin(company)).value
    assert json.loads(read["body"])["name"] == "Wien"
    expanded = asked(function, "/api/v1/stock-items/?expand=location", **as_admin(company)).value
    assert expanded["statusCode"] == 200, "resources that nobody asked for yet are known"


def test_the_description_is_the_one_of_the_repository(function: Runtime, new_company: Callable[[], Company]) -> None:
    found = asked(function, "/api/v1/schema/", accept_encoding="gzip").value
    assert found["statusCode"] == 200
    assert gzip.decompress(base64.b64decode(found["body"])) == (ROOT / "docs" / "openapi.json").read_bytes()


def test_somebody_signs_in_by_cookies_and_sees_styled_pages(function: Runtime, new_company: Callable[[], Company]) -> None:
    user = new_company().user
    with override_settings(PASSWORD_HASHERS=base.PASSWORD_HASHERS):
        user.password = make_password(PASSWORD)
    user.save(update_fields=["password"])
    page = asked(function, "/admin/login/").value
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page["body"])
    assert token
    form = f"username={user.email}&password={PASSWORD.replace(' ', '+')}&csrfmiddlewaretoken={token[1]}"
    done = asked(
        function, "/admin/login/", "POST", body=form, content_type="application/x-www-form-urlencoded", cookie=cookies(page),
        origin=f"https://{HOST}",
    ).value
    assert done["statusCode"] == 302, done["body"]
    names = [cookie.partition("=")[0] for cookie in done["cookies"]]
    assert "sessionid" in names and len(names) == len(set(names)), "each cookie once"
    assert "Set-Cookie" not in done["headers"]
    home = asked(function, "/admin/", cookie=cookies(done)).value
    assert home["statusCode"] == 200 and user.email in home["body"]
    for address in re.findall(r'(?:href|src)="/dev(/static/[^"]+)"', home["body"]):
        file = asked(function, address, accept_encoding="gzip").value
        assert (file["statusCode"], "immutable" in file["headers"]["Cache-Control"]) == (200, True), address


def test_pages_take_their_files_from_where_they_are_told(package: Path, variables: dict[str, str], commits: None) -> None:
    elsewhere = {**variables, "STATIC_URL": "https://static.example.com/"}
    with Runtime("config.on_lambda.lambda_handler", package, elsewhere, options=["-S"]) as function:
        page = asked(function, "/admin/login/").value["body"]
        inside = [file.name for file in (package / "staticfiles").rglob("*.css")]
        named = re.findall(r'href="https://static\.example\.com/([^"]+\.css)"', page)
        assert named and {Path(name).name for name in named} <= set(inside)
        assert asked(function, f"/static/{named[0]}").value["statusCode"] == 404


def test_the_rest_of_it_is_whole(package: Path, variables: dict[str, str]) -> None:
    program = f"import django; django.setup()\n{RARELY_USED}"
    command = [sys.executable, "-S", "-c", program]
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=variables, cwd=package)
    assert done.returncode == 0, done.stderr


def test_each_service_that_is_called_is_kept() -> None:
    code = [path.read_text() for name in PRODUCT for path in (ROOT / name).rglob("*.py")]
    called = {service for text in code for service in re.findall(r"boto3\.client\(\s*\"(\w+)\"", text)}
    assert called | {"s3"} == SERVICES, "s3 is called by django-storages"


def test_the_function_gets_the_versions_that_are_tested() -> None:
    function, tested = (versions(name) for name in ("lambda", "dev"))
    assert {name: found for name, found in function.items() if name not in UNNEEDED and tested.get(name, found) != found} == {}


def test_who_asks_for_what_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PackageProblem, match="choose of dev"):
        build("nowhere", "arm64", tmp_path / "x.zip")
    with pytest.raises(PackageProblem, match="choose of arm64, x86_64"):
        build("dev", "mips", tmp_path / "x.zip")
    assert [*tmp_path.iterdir()] == []


def cookies(answer: dict[str, Any]) -> str:
    jar = SimpleCookie()
    for cookie in answer["cookies"]:
        jar.load(cookie)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in jar.items())


def versions(name: str) -> dict[str, str]:
    return dict(re.findall(r"(?m)^([a-z0-9-]+)==(\S+)", (ROOT / "requirements" / f"{name}.txt").read_text()))
