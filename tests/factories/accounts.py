from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import (
    Address,
    ApiKey,
    AuditEntry,
    AuditSeal,
    Contact,
    DataSubjectRequest,
    FeatureFlag,
    Membership,
    NumberSequence,
    Organization,
    Party,
    RetentionPolicy,
    Role,
    User,
    UserRole,
)  # fmt: skip
from accounts.permissions import known
from accounts.services.roles import api_key_create
from accounts.services.tenancy import organization_found
from tests.companies import PASSWORD


class OrganizationFactory(DjangoModelFactory):
    """Founded by its service, outside any scope."""

    name = factory.Sequence("Company {}".format)
    slug = factory.Sequence("company-{}".format)

    class Meta:
        model = Organization

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> Organization:
        return organization_found(**values)


class UserFactory(DjangoModelFactory):
    email = factory.Sequence("person{}@example.test".format)
    name = factory.Sequence("Person {}".format)
    password = PASSWORD

    class Meta:
        model = User

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> User:
        return User.objects.create_user(**values)


class MembershipFactory(DjangoModelFactory):
    user = factory.SubFactory(UserFactory)
    joined_at = factory.LazyFunction(timezone.now)

    class Meta:
        model = Membership


class RoleFactory(DjangoModelFactory):
    code = factory.Sequence("role-{}".format)
    name = factory.Sequence("Role {}".format)
    permissions = ("accounts.view_party",)

    class Meta:
        model = Role


class UserRoleFactory(DjangoModelFactory):
    membership = factory.SubFactory(MembershipFactory)
    role = factory.SubFactory(RoleFactory)

    class Meta:
        model = UserRole


class ApiKeyFactory(DjangoModelFactory):
    name = factory.Sequence("Machine {}".format)
    scopes = ("accounts.view_party",)

    class Meta:
        model = ApiKey

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> ApiKey:
        return api_key_create(**{"granter": known(), **values})[0]


class PartyFactory(DjangoModelFactory):
    name = factory.Sequence("Party {}".format)
    external_ref = factory.Sequence("party-{}".format)

    class Meta:
        model = Party


class AddressFactory(DjangoModelFactory):
    party = factory.SubFactory(PartyFactory)
    street1 = factory.Sequence("{} Main Street".format)
    city = "Lisbon"
    country = "PT"

    class Meta:
        model = Address


class ContactFactory(DjangoModelFactory):
    party = factory.SubFactory(PartyFactory)
    name = factory.Sequence("Contact {}".format)

    class Meta:
        model = Contact


class NumberSequenceFactory(DjangoModelFactory):
    document_type = factory.Sequence("document-{}".format)
    pattern = "X-{year}-{number:06}"

    class Meta:
        model = NumberSequence


class AuditEntryFactory(DjangoModelFactory):
    """Nobody may insert one: something is changed."""

    class Meta:
        model = AuditEntry

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> AuditEntry:
        entry: AuditEntry = AuditEntry.objects.get(row_id=PartyFactory().pk)
        return entry


class AuditSealFactory(DjangoModelFactory):
    """Of no real entries: `audit_seal` is the worker's, and sees what is committed."""

    number = factory.Sequence(lambda n: 1_000_000 + n)
    first_id = 1
    last_id = 2
    entries = 2
    previous_hash = "0" * 64
    hash = "1" * 64
    digests = b"\0" * 48

    class Meta:
        model = AuditSeal


class RetentionPolicyFactory(DjangoModelFactory):
    """Of classes that no app declares: each declared one has its policy already."""

    data_class = factory.Sequence("class-{}".format)
    keep_days = 30

    class Meta:
        model = RetentionPolicy


class DataSubjectRequestFactory(DjangoModelFactory):
    kind = "export"
    subject_email = factory.Sequence("subject{}@example.test".format)

    class Meta:
        model = DataSubjectRequest


class FeatureFlagFactory(DjangoModelFactory):
    key = factory.Sequence("feature-{}".format)

    class Meta:
        model = FeatureFlag
