from datetime import date, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from accounts.models import (
    Address,
    ApiKey,
    Attachment,
    AuditEntry,
    AuditSeal,
    Contact,
    CustomFieldDefinition,
    DataSubjectRequest,
    ExchangeRate,
    ExternalIdentity,
    FeatureFlag,
    IdempotencyRecord,
    IdentityProvider,
    Impersonation,
    Invitation,
    JournalEntry,
    Membership,
    NumberSequence,
    Organization,
    Party,
    RetentionPolicy,
    Role,
    SavedFilter,
    Tag,
    TaggedItem,
    UsedNonce,
    User,
    UserRole,
    UserSession,
)  # fmt: skip
from accounts.permissions import VIEWER, known
from accounts.services.annotations import journal_note
from accounts.services.attachments import Upload, attachment_create
from accounts.services.invitations import invitation_create
from accounts.services.keys import api_key_create
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


class PersonFactory(UserFactory):
    """A member of the active organization: the people whom a list shows."""

    class Meta:
        model = User

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> User:
        user: User = super()._create(model, *args, **values)
        MembershipFactory(user=user)
        return user
class ImpersonationFactory(DjangoModelFactory):
    impersonator = factory.SubFactory(UserFactory, is_superuser=True)
    membership = factory.SubFactory(MembershipFactory)
    reason = "The member asked for help."
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=30))

    class Meta:
        model = Impersonation


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


class IdentityProviderFactory(DjangoModelFactory):
    name = factory.Sequence("Provider {}".format)
    issuer = factory.Sequence("https://id{}.example.test".format)
    audience = "quartermaster"

    class Meta:
        model = IdentityProvider


class ExternalIdentityFactory(DjangoModelFactory):
    provider = factory.SubFactory(IdentityProviderFactory)
    subject = factory.Sequence("subject-{}".format)
    membership = factory.SubFactory(MembershipFactory)

    class Meta:
        model = ExternalIdentity


class ApiKeyFactory(DjangoModelFactory):
    name = factory.Sequence("Machine {}".format)
    scopes = ("accounts.view_party",)

    class Meta:
        model = ApiKey

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> ApiKey:
        return api_key_create(**{"granter": known(), **values}).row


class UsedNonceFactory(DjangoModelFactory):
    api_key = factory.SubFactory(ApiKeyFactory)
    nonce = factory.Sequence("nonce-{:08}".format)
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=10))

    class Meta:
        model = UsedNonce


class IdempotencyRecordFactory(DjangoModelFactory):
    principal = "user:somebody"
    key_hash = factory.Sequence("{:064}".format)
    request_hash = "0" * 64
    status = 201
    headers: dict[str, str] = {}
    body = b"{}"
    is_sealed = False
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=1))

    class Meta:
        model = IdempotencyRecord


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


class InvitationFactory(DjangoModelFactory):
    email = factory.Sequence("guest{}@example.test".format)
    roles = (VIEWER,)

    class Meta:
        model = Invitation

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> Invitation:
        return invitation_create(**{"granter": known(), **values})


class UserSessionFactory(DjangoModelFactory):
    user = factory.SubFactory(UserFactory)
    session_id = factory.Sequence(lambda number: 1_000_000 + number)
    ip = "192.0.2.7"
    user_agent = factory.Sequence("Browser {}".format)
    last_seen_at = factory.LazyFunction(timezone.now)
    ended_at = factory.LazyFunction(timezone.now)

    class Meta:
        model = UserSession
class AttachmentFactory(DjangoModelFactory):
    """Stored by its service."""

    title = factory.Sequence("Attachment {}".format)
    content = b"Delivered as ordered.\n"
    filename = "note.txt"

    class Meta:
        model = Attachment

    @classmethod
    def _create(cls, model: Any, *args: Any, **values: Any) -> Attachment:
        content, filename = values.pop("content"), values.pop("filename")
        if "object_id" not in values:
            values |= {"object_type": "accounts.party", "object_id": PartyFactory().pk}
        upload = Upload(BytesIO(content), len(content), filename)
        return attachment_create(**{"upload": upload, "permissions": known(), **values})
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
