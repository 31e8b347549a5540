"""A person gets everything that is kept about them, or is forgotten; what stays is said, with the reason."""

import json
import zipfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Contact, DataSubjectRequest, Membership, Role, User
from accounts.permissions import ADMIN, MANAGER
from accounts.services.privacy import data_subject_erase, data_subject_export, erasure_preview
from accounts.services.retention import purge
from accounts.services.tenancy import membership_add
from core.errors import Conflict
from core.models import TenantRow
from core.privacy import personal_data
from notifications.models import NotificationDelivery, TopicSubscription
from tests.companies import PASSWORD, Company, signed_in
from tests.contracts.resources import assert_problem
from tests.factories.accounts import ContactFactory, MembershipFactory, UserRoleFactory
from tests.factories.notifications import JobFactory, NotificationDeliveryFactory, OutboxEventFactory, TopicSubscriptionFactory

EMAIL = "ada@example.test"
URL = "/api/v1/data-subject-requests/"
COLUMNS = "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped"


@pytest.fixture
def ada(acme: Company) -> User:
    """Present in every table that knows people."""
    user = User.objects.create_user(EMAIL, PASSWORD, name="Ada Lovelace", phone="+351 555 0100")
    with acme.scope():
        membership = membership_add(user=user, roles=[MANAGER])
        ContactFactory(name="Ada", email=EMAIL.upper())
        subscription = TopicSubscriptionFactory(address=EMAIL, membership=membership)
        NotificationDeliveryFactory(subscription=subscription, address=EMAIL, body=f"Dear {EMAIL}, ...", error=f"refused {EMAIL}")
        NotificationDeliveryFactory(body=f"{EMAIL} has asked for something.")
        JobFactory(arguments={"args": [EMAIL], "kwargs": {}}, error=f"SMTPRecipientsRefused: {EMAIL}")
        OutboxEventFactory(payload={"who": EMAIL})
    signed_in(user)
    return user


def asked(company: Company, kind: str, email: str = EMAIL) -> DataSubjectRequest:
    with company.scope():
        request: DataSubjectRequest = DataSubjectRequest.objects.create(kind=kind, subject_email=email)
        return request


def erased(company: Company, email: str = EMAIL) -> dict[str, dict[str, Any]]:
    request = asked(company, "erase", email)
    with company.scope():
        return {line["table"]: line for line in data_subject_erase(request=request).report}


def mentions(company: Company, email: str) -> set[str]:
    """Every table and column of the organization, and of people, in which the address stands anywhere."""
    tables = [model._meta.db_table for model in apps.get_models() if issubclass(model, TenantRow)]
    found = set()
    with company.scope(), connection.cursor() as cursor:
        for table in [*tables, "accounts_organization", "accounts_user", "account_emailaddress", "usersessions_usersession"]:
            cursor.execute(COLUMNS, [table])
            for (column,) in cursor.fetchall():
                cursor.execute(f'SELECT count(*) FROM {table} WHERE position(%s in lower("{column}"::text)) > 0', [email])
                if cursor.fetchone()[0]:
                    found.add(f"{table}.{column}")
    return found


def test_an_erasure_leaves_the_address_nowhere_but_where_it_says(acme: Company, ada: User) -> None:
    assert len(mentions(acme, EMAIL)) >= 10
    report = erased(acme)
    assert mentions(acme, EMAIL) == {"accounts_auditentry.changes", "accounts_datasubjectrequest.subject_email"}
    kept = {table for table, line in report.items() if line["outcome"] == "kept"}
    assert kept == {"accounts_auditentry", "accounts_datasubjectrequest"}
    assert all(line["reason"] for line in report.values())


def test_the_report_says_what_happened_to_each(acme: Company, ada: User) -> None:
    report = erased(acme)
    assert {table: (line["outcome"], line["rows"]) for table, line in report.items() if line["outcome"] != "kept"} == {
        "accounts_contact": ("pseudonymised", 1), "accounts_user": ("pseudonymised", 1), "accounts_membership": ("deleted", 1),
        "accounts_userrole": ("deleted", 1), "django_session": ("deleted", 1), "usersessions_usersession": ("deleted", 1),
        "notifications_topicsubscription": ("deleted", 1), "notifications_notificationdelivery": ("pseudonymised", 2),
        "notifications_job": ("pseudonymised", 1), "notifications_outboxevent": ("pseudonymised", 1),
    }  # fmt: skip
    found = User.objects.get(pk=ada.pk)
    assert (found.email, found.name, found.phone) == (f"erased-{ada.pk}@invalid", "Erased person", "")
    assert not found.is_active and not found.has_usable_password()
    with acme.scope():
        assert not Membership.objects.filter(user=ada).exists() and not TopicSubscription.objects.filter(address=EMAIL).exists()
        assert NotificationDelivery.objects.filter(address="").exists()


def test_a_preview_says_the_same_and_changes_nothing(acme: Company, ada: User) -> None:
    before = mentions(acme, EMAIL)
    with acme.scope():
        told = {line.table: (line.outcome, line.rows) for line in erasure_preview(email=EMAIL)}
    assert mentions(acme, EMAIL) == before
    report = erased(acme)
    same = {table: (line["outcome"], line["rows"]) for table, line in report.items() if line["outcome"] != "kept"}
    assert {table: line for table, line in told.items() if line[0] != "kept"} == same


def test_who_belongs_elsewhere_too_loses_this_organization_alone(acme: Company, bolt: Company, ada: User) -> None:
    with bolt.scope():
        MembershipFactory(user=ada, status="suspended")
        ContactFactory(name="Ada", email=EMAIL)
    report = erased(acme)
    assert report["accounts_user"]["outcome"] == "kept" and "another organization" in report["accounts_user"]["reason"]
    assert report["accounts_membership"]["outcome"] == "deleted"
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
        tables = {name.removesuffix(".json"): archive.read(name) for name in archive.namelist()}
    index = tables.pop("index.html").decode()
    assert {"accounts_user", "accounts_contact", "accounts_membership", "notifications_job", "accounts_auditentry"} <= set(tables)
    [person] = json.loads(tables["accounts_user"])
    assert (person["email"], person["name"]) == (EMAIL, "Ada Lovelace") and "password" not in person
    assert "session_key" not in json.loads(tables["usersessions_usersession"])[0]
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
