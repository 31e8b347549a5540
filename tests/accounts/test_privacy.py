"""A person gets everything that is kept about them, or is forgotten; what stays is said, with the reason."""

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress, EmailConfirmation
from allauth.mfa.models import Authenticator
from axes.models import AccessAttempt
from django.conf import settings
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Attachment, Contact, DataSubjectRequest, FeatureFlag, Invitation, JournalEntry, Membership, Role, User
from accounts.permissions import ADMIN, MANAGER
from accounts.services.attempts import attempt_failed
from accounts.services.pictures import avatar_set
from accounts.services.privacy import data_subject_erase, data_subject_export, erasure_preview, found
from accounts.services.retention import purge
from accounts.services.tenancy import membership_add
from core.errors import Conflict
from core.files import private_files
from core.privacy import personal_data
from core.tenancy import Origin
from notifications.models import Job, NotificationDelivery, TopicSubscription
from tests.accounts.files import picture
from tests.companies import PASSWORD, Company, signed_in
from tests.contracts.resources import assert_problem
from tests.factories.accounts import (
    AttachmentFactory,
    ContactFactory,
    DataSubjectRequestFactory,
    ExternalIdentityFactory,
    FeatureFlagFactory,
    ImpersonationFactory,
    InvitationFactory,
    JournalEntryFactory,
    MembershipFactory,
    SavedFilterFactory,
    UserRoleFactory,
    UserSessionFactory,
)
from tests.factories.counts import StockCountLineFactory
from tests.factories.drafts import OrderEntryStepFactory, ReceiptDraftEntryFactory, TrayLineFactory
from tests.factories.inventory import ReorderTaskFactory, StockMoveFactory
from tests.factories.lots import ReservationFactory, StockAdjustmentFactory, StockClosingFactory
from tests.factories.notifications import JobFactory
from tests.factories.pick_lists import PickListFactory
from tests.factories.valuation import ValueEntryFactory
from tests.notifications.personal import in_machinery
from tests.orders.personal import in_the_orders

EMAIL = "ada@example.test"
URL = "/api/v1/data-subject-requests/"
READABLE = """
    SELECT c.relname, jsonb_object_agg(a.attname, CASE a.atttypid
        WHEN 'bytea'::regtype THEN format('encode(%I, ''escape'')', a.attname) ELSE format('%I::text', a.attname) END)
    FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
        AND has_table_privilege(c.oid, 'SELECT')
    GROUP BY c.relname
"""
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"


@pytest.fixture
def ada(acme: Company) -> User:
    """Present in every table that knows people."""
    user = User.objects.create_user(EMAIL, PASSWORD, name="Ada Lovelace", phone="+351 555 0100", age=36)
    with acme.scope():
        membership = membership_add(user=user, roles=[MANAGER])
        ContactFactory(name="Ada", email=EMAIL.upper())
        in_machinery(membership, EMAIL)
        in_the_company(membership)
    with acme.scope(actor_id=user.pk):
        AttachmentFactory(title=f"Letter of {EMAIL}", filename=f"{EMAIL}.txt")
        JournalEntryFactory(body=f"Call {EMAIL.title()} back.")
    signed_in(user)
    avatar_set(user_id=user.pk, file=BytesIO(picture()), size=len(picture()))
    address = EmailAddress.objects.create(user=user, email=EMAIL, verified=True)
    EmailConfirmation.objects.create(email_address=address, key="k" * 64)
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={"secret": "sealed"})
    attempt_failed(account=EMAIL, origin=Origin(ip="192.0.2.66"))
    return user


def in_the_company(membership: Membership) -> None:
    user = membership.user
    archive = private_files().save("privacy-exports/earlier.zip", ContentFile(b"everything"))
    DataSubjectRequestFactory(subject_email=EMAIL, result=archive, status="done", completed_at=timezone.now())
    invited = InvitationFactory()  # nobody invites a member: it was accepted
    Invitation.objects.filter(pk=invited.pk).update(email=EMAIL, accepted_at=timezone.now())
    in_the_orders(user, EMAIL)
    SavedFilterFactory(owner_id=user.pk, name="Mine", visibility="private")
    SavedFilterFactory(owner_id=user.pk, name="Ours")
    SavedFilterFactory(query=f"email={EMAIL}")
    FeatureFlagFactory(user_ids=[user.pk, uuid4()])
    ImpersonationFactory(membership=membership)
    ImpersonationFactory(impersonator=user)
    ExternalIdentityFactory(membership=membership, subject=EMAIL)
    StockMoveFactory(actor_id=user.pk)
    ValueEntryFactory(actor_id=user.pk)
    ReservationFactory(actor_id=user.pk)
    StockClosingFactory(actor_id=user.pk)
    StockAdjustmentFactory(requested_by=user.pk)
    StockCountLineFactory(counted_by=user.pk, count__requested_by=user.pk)
    ReorderTaskFactory(assignee=membership)
    TrayLineFactory(actor_id=user.pk)
    ReceiptDraftEntryFactory(draft__actor_id=user.pk)
    OrderEntryStepFactory(entry__actor_id=user.pk)
    UserSessionFactory(user=user)
    PickListFactory(assignee=membership)


def asked(company: Company, kind: str, email: str = EMAIL) -> DataSubjectRequest:
    with company.scope():
        request: DataSubjectRequest = DataSubjectRequest.objects.create(kind=kind, subject_email=email)
        return request


def erased(company: Company, email: str = EMAIL) -> dict[str, dict[str, Any]]:
    """The report, by label."""
    request = asked(company, "erase", email)
    with company.scope():
        return {line["label"]: line for line in data_subject_erase(request=request).report}


def mentions(company: Company, email: str) -> set[str]:
    """Every table and column that the app can read, in which the address stands anywhere."""
    found = set()
    with company.scope(), connection.cursor() as cursor:
        cursor.execute(READABLE)
        for table, columns in cursor.fetchall():
            texts: dict[str, str] = json.loads(columns)
            counts = ", ".join(f"count(*) FILTER (WHERE position(%(email)s in lower({text})) > 0)" for text in texts.values())
            cursor.execute(f"SELECT {counts} FROM {table}", {"email": email})
            found |= {f"{table}.{name}" for name, count in zip(texts, cursor.fetchone(), strict=True) if count}
    return found


def test_ada_is_everywhere(acme: Company, ada: User) -> None:
    with acme.scope():
        there = {line.label for line in found(email=EMAIL)}
    assert there == {data.label for data in personal_data()}, "give the fixture `ada` a row of each declared kind"


def test_an_erasure_leaves_the_address_nowhere_but_where_it_says(acme: Company, ada: User) -> None:
    assert len(mentions(acme, EMAIL)) >= 20
    report = erased(acme)
    said = {"accounts_auditentry.changes", "accounts_datasubjectrequest.subject_email", "orders_salesorder.email"}
    assert mentions(acme, EMAIL) == said
    kept = {label for label, line in report.items() if line["outcome"] == "kept"}
    assert kept == {data.label for data in personal_data() if data.erasure == "keep"}
    assert all(line["reason"] for line in report.values())


def test_the_job_of_a_handler_forgets_the_member_as_the_event_does(acme: Company, ada: User) -> None:
    with acme.scope():
        JobFactory(dedupe_key="welcome BO@example.test")
        JobFactory(dedupe_key=f"welcome {EMAIL.upper()}")
    for email in (EMAIL, "bo@example.test"):
        erased(acme, email)
    with acme.scope():
        job = Job.objects.get(task="about.a_member")
        assert job.arguments["args"][0]["payload"]["object"] == {
            "email": "", "name": "Erased person", "age": None, "phone": "", "locale": "", "timezone": "", "status": "active",
        }
        keys = Job.objects.exclude(dedupe_key="").filter(dedupe_key__startswith="erased")
        assert len(keys) == 3 and all(one.dedupe_key == f"erased {one.pk}" for one in keys)


def test_the_report_says_what_happened_to_each(acme: Company, ada: User) -> None:
    report = erased(acme)
    twice = ("Messages", "Answers that wait to be repeated", "Sign-ins to this organization")
    often = dict.fromkeys(twice, 2)
    done = {"delete": "deleted", "pseudonymise": "pseudonymised"}
    assert {label: (line["outcome"], line["rows"]) for label, line in report.items() if line["outcome"] != "kept"} == {
        data.label: (done[data.erasure], often.get(data.label, 1)) for data in personal_data() if data.erasure != "keep"
    }
    found = User.objects.get(pk=ada.pk)
    assert (found.email, found.name, found.phone) == (f"erased-{ada.pk}@invalid", "Erased person", "")
    assert not found.is_active and not found.has_usable_password()
    with acme.scope():
        assert not Membership.objects.filter(user=ada).exists() and not TopicSubscription.objects.filter(address=EMAIL).exists()
        assert NotificationDelivery.objects.filter(address="").exists()
        assert JournalEntry.objects.get(author_id=ada.pk).body == "Call erased back."
        assert Attachment.objects.get(title="Letter of erased").filename == "erased.txt"
        [flag] = FeatureFlag.objects.filter(user_ids__len=1)
        assert ada.pk not in flag.user_ids


def test_the_files_of_the_person_go_with_the_erasure(
    acme: Company, ada: User, django_capture_on_commit_callbacks: Any,
) -> None:
    with acme.scope():
        archive = DataSubjectRequest.objects.exclude(result="").get(subject_email=EMAIL).result
        exported = Job.objects.get(task="notifications.tasks.export").result["key"]
    files = [User.objects.get(pk=ada.pk).avatar, archive, exported]
    assert all(private_files().exists(file) for file in files)
    with django_capture_on_commit_callbacks(execute=True):
        erased(acme)
    assert not any(private_files().exists(file) for file in files)
    with acme.scope():
        assert Job.objects.get(task="notifications.tasks.export").result == {"rows": 9}


def test_nobody_unlocks_a_stranger_by_asking_for_an_erasure(acme: Company, bolt: Company) -> None:
    email = bolt.user.email
    attempt_failed(account=email, origin=Origin(ip="192.0.2.66"))
    assert "Failed sign-ins" not in erased(acme, email)
    assert AccessAttempt.objects.filter(username=email).exists()


def test_a_preview_says_the_same_and_changes_nothing(acme: Company, ada: User) -> None:
    before = mentions(acme, EMAIL)
    with acme.scope():
        told = {line.label: (line.outcome, line.rows) for line in erasure_preview(email=EMAIL)}
    assert mentions(acme, EMAIL) == before
    report = erased(acme)
    same = {label: (line["outcome"], line["rows"]) for label, line in report.items() if line["outcome"] != "kept"}
    assert {label: line for label, line in told.items() if line[0] != "kept"} == same


def test_who_belongs_elsewhere_too_loses_this_organization_alone(acme: Company, bolt: Company, ada: User) -> None:
    with bolt.scope():
        MembershipFactory(user=ada, status="suspended")
        ContactFactory(name="Ada", email=EMAIL)
    report = erased(acme)
    assert report["The person"]["outcome"] == "kept" and "another organization" in report["The person"]["reason"]
    assert report["Membership"]["outcome"] == "deleted"
    assert User.objects.get(pk=ada.pk).email == EMAIL
    with acme.scope():
        assert not Membership.objects.filter(user=ada).exists()
    with bolt.scope():
        assert Membership.objects.filter(user=ada).exists() and Contact.objects.filter(email=EMAIL).exists()


def test_the_last_admin_is_not_erased(acme: Company) -> None:
    email = acme.user.email
    with acme.scope(), pytest.raises(Conflict, match="last Admin"):
        erasure_preview(email=email)
    request = asked(acme, "erase", email)
    problem = assert_problem(acme.api.send("post", f"{URL}{request.pk}/fulfil/"), 409, "last_admin")
    assert "give somebody else the role" in problem["detail"]
    assert User.objects.get(pk=acme.user.pk).email == email
    with acme.scope():
        other = Membership.objects.exclude(user=acme.user).first()
        UserRoleFactory(membership=other, role=Role.objects.get(code=ADMIN))
        assert erasure_preview(email=email)


def test_an_erasure_that_fails_erases_nothing(acme: Company, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    request = asked(acme, "erase")
    broken = [*personal_data(), personal_data()[0]._replace(condition="no_such_column = 1")]
    monkeypatch.setattr("accounts.services.privacy.personal_data", lambda: broken)
    before = mentions(acme, EMAIL)
    with acme.scope(), pytest.raises(Exception, match="no_such_column"), transaction.atomic():
        data_subject_erase(request=request)
    assert mentions(acme, EMAIL) == before


def test_an_export_holds_everything_but_secrets(acme: Company, ada: User) -> None:
    request = asked(acme, "export")
    answered = acme.api.send("post", f"{URL}{request.pk}/fulfil/").json()
    assert answered["status"] == "done" and {line["outcome"] for line in answered["report"]} == {"exported"}
    response = acme.api.get(f"{URL}{request.pk}/result/")
    assert response.headers["Content-Type"] == "application/zip"
    with zipfile.ZipFile(BytesIO(response.content)) as archive:
        assert len(archive.namelist()) == len(set(archive.namelist()))
        content = {name: archive.read(name) for name in archive.namelist()}
    [avatar] = [written for name, written in content.items() if name.startswith("files/")]
    tables = {name.removesuffix(".json"): written for name, written in content.items() if not name.startswith("files/")}
    index = tables.pop("index.html").decode()
    assert set(tables) == {data.table for data in personal_data()} and avatar[8:12] == b"WEBP"
    assert json.loads(tables["accounts_attachment"])[0]["filename"] == f"{EMAIL}.txt"
    secrets = {"key_hash", "token_hash", "storage_key", "data", "post_data", "session_key", "password"}
    for table, rows in tables.items():
        assert not [name for row in json.loads(rows) for name in row if name in secrets], table
    [person] = json.loads(tables["accounts_user"])
    assert (person["email"], person["name"]) == (EMAIL, "Ada Lovelace") and "password" not in person
    assert EMAIL in index and "accounts_contact.json" in index
    assert acme.api_as(MANAGER).get(f"{URL}{request.pk}/result/").status_code == 403


def test_an_export_expires(new_company: Callable[[], Company]) -> None:
    company = new_company()
    request = asked(company, "export", company.user.email)
    with company.scope():
        done = data_subject_export(request=request)
        assert Path(settings.STORAGES["private"]["OPTIONS"]["location"], done.result).exists()
        DataSubjectRequest.objects.filter(pk=request.pk).update(result_expires_at=timezone.now() - timedelta(seconds=1))
    assert_problem(company.api.get(f"{URL}{request.pk}/result/"), 409, "no_result")
    assert {line.data_class: line.rows for line in purge(organization_id=company.organization.pk)}["privacy-exports"] == 1
    assert not Path(settings.STORAGES["private"]["OPTIONS"]["location"], done.result).exists()


def test_a_request_is_due_in_a_month_and_answered_once(acme: Company, ada: User) -> None:
    made = acme.api.send("post", URL, {"kind": "erase", "subject_email": EMAIL}).json()
    assert made["due_on"] == (timezone.localdate() + timedelta(days=30)).isoformat()
    preview = acme.api.get(f"{URL}{made['id']}/preview/").json()
    assert {line["outcome"] for line in preview} == {"deleted", "pseudonymised", "kept"}
    assert acme.api.send("post", f"{URL}{made['id']}/fulfil/").json()["status"] == "done"
    assert_problem(acme.api.send("post", f"{URL}{made['id']}/fulfil/"), 409, "answered")


def test_the_admin_shows_what_it_would_do_first(acme: Company, ada: User) -> None:
    request = asked(acme, "erase")
    page = f"/admin/accounts/datasubjectrequest/{request.pk}/fulfil/"
    shown = acme.admin.get(page).content.decode()
    assert "pseudonymised" in shown and "Contacts at partners" in shown and "Erase" in shown
    assert User.objects.get(pk=ada.pk).email == EMAIL
    assert acme.admin_as(MANAGER).post(page).status_code == 403
    assert acme.admin.post(page).status_code == 302
    assert User.objects.get(pk=ada.pk).email != EMAIL
    assert "pseudonymised" in acme.admin.get(f"/admin/accounts/datasubjectrequest/{request.pk}/change/").content.decode()


def test_the_command(new_company: Callable[[], Company], tmp_path: Path) -> None:
    company = new_company()
    with company.scope():
        ContactFactory(name="Grace", email="grace@example.test")
    arguments = ["data_subject", "grace@example.test", "--organization", company.organization.slug]

    def said(*more: str) -> str:
        out = StringIO()
        call_command(*arguments, *more, stdout=out)
        return out.getvalue()

    archive = tmp_path / "grace.zip"
    assert "Contacts at partners: 1 exported" in said("--export", str(archive))
    assert "accounts_contact.json" in zipfile.ZipFile(archive).namelist()
    with pytest.raises(CommandError, match="name a new file") as refused:
        said("--export", str(archive))
    assert refused.value.returncode == 2
    assert "Nothing was changed yet" in said("--erase")
    with company.scope():
        assert Contact.objects.filter(email="grace@example.test").exists()
    assert "Contacts at partners: 1 pseudonymised" in said("--erase", "--yes")
    with company.scope():
        assert not Contact.objects.filter(email="grace@example.test").exists()


def test_what_is_declared_is_there(db: None) -> None:
    with connection.cursor() as cursor:
        for data in personal_data():
            cursor.execute(COLUMNS, [data.table])
            columns = {name for (name,) in cursor.fetchall()}
            assert {*data.replacements, *data.hidden} <= columns, data.table
            assert data.reason
