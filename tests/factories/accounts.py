from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import (
    Address,
    ApiKey,
    AuditEntry,
    Contact,
    CustomFieldDefinition,
    ExchangeRate,
    JournalEntry,
    Membership,
    NumberSequence,
    Organization,
    Party,
    Role,
    SavedFilter,
    Tag,
    TaggedItem,
    User,
    UserRole,
)  # fmt: skip
from accounts.permissions import known
from accounts.services.annotations import journal_note
from accounts.services.roles import api_key_create
from accounts.services.tenancy import organization_found
from core.tenancy import active_scope
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


class CustomFieldDefinitionFactory(DjangoModelFactory):
    model = "accounts.party"
    key = factory.Sequence("field{}".format)

    class Meta:
        model = CustomFieldDefinition


class SavedFilterFactory(DjangoModelFactory):
    owner_id = factory.LazyFunction(lambda: active_scope().origin.actor_id)
    model = "accounts.party"
    name = factory.Sequence("Filter {}".format)
    query = "name=Zinc"
    visibility = "shared"

    class Meta:
        model = SavedFilter


class TagFactory(DjangoModelFactory):
    slug = factory.Sequence("tag-{}".format)
    name = factory.Sequence("Tag {}".format)

    class Meta:
        model = Tag


class TaggedItemFactory(DjangoModelFactory):
    tag = factory.SubFactory(TagFactory)
    object_type = "accounts.party"
    object_id = factory.LazyFunction(lambda: PartyFactory().pk)

    class Meta:
        model = TaggedItem


class JournalEntryFactory(DjangoModelFactory):
    object_type = "accounts.party"
    object_id = factory.LazyFunction(lambda: PartyFactory().pk)
    body = factory.Sequence("Note {}".format)

    class Meta:
        model = JournalEntry

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> JournalEntry:
        return journal_note(kind=values.pop("object_type"), permissions=known(), **values)


class ExchangeRateFactory(DjangoModelFactory):
    base = "EUR"
    quote = "USD"
    valid_on = factory.Sequence(lambda number: date(2026, 1, 1) + timedelta(days=number))
    rate = Decimal("1.080000000")

    class Meta:
        model = ExchangeRate
