"""What a model must not be forgotten in."""

from collections.abc import Iterator
from io import StringIO

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.core.management import call_command
from django.db import models
from django.urls import get_resolver

from accounts.models import (
    ApiKey,
    Attachment,
    AttachmentVersion,
    AuditEntry,
    ExchangeRate,
    ExternalIdentity,
    IdempotencyRecord,
    IdentityProvider,
    Invitation,
    JournalEntry,
    Membership,
    RateWindow,
    TaggedItem,
    UsedNonce,
    User,
)
from core.models import AuditedModel, TenantRow
from inventory.models import (
    CategoryItem,
    CategoryItemChange,
    CategoryItemsKept,
    CountedPosting,
    ExpectedReceipt,
    LogisticUnitContent,
    ReceiptDraft,
    ReceiptDraftEntry,
    Reservation,
    SearchToken,
    StockCountLine,
    TransferOrderLine,
    TrayLine,
    ValueEntry,
)
from notifications.models import (
    EventDelivery,
    ExternalSourceHealth,
    FeedPosition,
    InboundWebhook,
    Job,
    Notification,
    NotificationPreference,
    OutboxEvent,
    Schedule,
    ScheduleRun,
    WebhookHealth,
    WorkerSeen,
)
from orders.models import (
    GoodsReceiptItem,
    InvoiceFile,
    InvoiceItem,
    LandedCostReceipt,
    OrderAdjustment,
    OrderEntry,
    OrderEntryStep,
    PickListItem,
    PromotionGoods,
    PurchaseOrderItem,
    ReturnItem,
    SalesDay,
    SalesDayChange,
    SalesOrderItem,
    ShipmentItem,
    ShipmentParcel,
    SupplierBillItem,
)
from tests.architecture.test_style import APPS
from tests.contracts.resources import RESOURCES, Resource
from tests.factories import BY_MODEL

MODELS = [model for app in APPS for model in apps.get_app_config(app).get_models()]
TENANT_MODELS = [model for model in MODELS if issubclass(model, TenantRow)]

DRAFTS = {
    TrayLine: "a person's own, on the page Tray of the admin, until it is put down",
    ReceiptDraft: "a person's own, on the page Receive of the admin, until it is posted",
    ReceiptDraftEntry: "a person's own, on the page Receive of the admin, until it is posted",
    OrderEntry: "a person's own, on the page Sell of the admin, until it is placed",
    OrderEntryStep: "a person's own, on the page Sell of the admin, until it is placed",
}
NO_ENDPOINT = {
    Schedule: "belongs to the installation, not to an organization",
    ScheduleRun: "belongs to the installation, not to an organization",
    WorkerSeen: "belongs to the installation, not to an organization",
    IdempotencyRecord: "its answer is given to who repeats the request, and to nobody else",
    UsedNonce: "says nothing to anybody, for ten minutes",
    RateWindow: "the headers of each answer say it",
    AttachmentVersion: "read below its attachment, at versions/",
    WebhookHealth: "read below its endpoint, at health/",
    ExternalSourceHealth: "read below its source, at health/",
    FeedPosition: "each answer of the feed says it",
    Notification: "each person's own, at my/notifications/",
    NotificationPreference: "each person's own, at my/notification-preferences/",
    SearchToken: "found by ?search= of products and variants",
    CategoryItem: "read by the earlier shop's path /items",
    CategoryItemChange: "says what /items is to read anew",
    CategoryItemsKept: "says whether /items is read",
    SalesDay: "read by the reports on orders",
    SalesDayChange: "says what the reports on orders are to read anew",
    CountedPosting: "says what to refuse of a key that comes again; the moves say what was done",
    LogisticUnitContent: "read below its unit, at contents/, and written by pack/ and unpack/",
    TransferOrderLine: "read below its order, at lines/, and written with it",
    StockCountLine: "read below its count, at lines/ and variance/: of a blind count without what is booked",
    SalesOrderItem: "read below its order, at lines/, and written with it",
    OrderAdjustment: "read below its order, at adjustments/, and written with it",
    PurchaseOrderItem: "read below its order, at lines/, and written with it",
    GoodsReceiptItem: "read below its receipt, at lines/",
    InvoiceFile: "read below its invoice, at pdf/",
    InvoiceItem: "read below its invoice, at lines/, and written with it",
    SupplierBillItem: "read below its bill, at lines/, and written with it",
    LandedCostReceipt: "read below its cost, at receipts/, and written with it",
    ExpectedReceipt: "the sums are incoming, of rules and of the stock card; its document's lines say the rest",
    PickListItem: "read below its list, at lines/, and written by its verbs",
    PromotionGoods: "read below its promotion, at goods/, and written with it",
    ShipmentItem: "read below its shipment, at lines/, and written with it",
    ShipmentParcel: "read below its shipment, at parcels/, and written by pack/",
    ReturnItem: "read below its return, at lines/, and written with it",
    **DRAFTS,
}
NO_ADMIN = {
    User: "people are seen through memberships",
    UsedNonce: "says nothing to anybody, for ten minutes",
    RateWindow: "counts of all organizations",
    WorkerSeen: "shown on the page Operations",
    AttachmentVersion: "shown on its attachment's page",
    WebhookHealth: "shown on its endpoint's page",
    ExternalSourceHealth: "shown on its source's page",
    FeedPosition: "the relay's own count",
    Notification: "a person's own, on the page Inbox",
    NotificationPreference: "a person's own, on the page My notifications",
    SearchToken: "found by the search of products and variants",
    CategoryItem: "read by the earlier shop's path /items",
    CategoryItemChange: "says what /items is to read anew",
    CategoryItemsKept: "says whether /items is read",
    SalesDay: "read by the reports on orders",
    SalesDayChange: "says what the reports on orders are to read anew",
    CountedPosting: "says what to refuse of a key that comes again; the moves say what was done",
    LogisticUnitContent: "shown on its unit's page",
    TransferOrderLine: "shown on its order's page",
    StockCountLine: "shown on its count's sheet and variance",
    SalesOrderItem: "shown on its order's page",
    OrderAdjustment: "shown on its order's page",
    PurchaseOrderItem: "shown on its order's page",
    GoodsReceiptItem: "shown on its receipt's page",
    InvoiceFile: "shown on its invoice's page",
    InvoiceItem: "shown on its invoice's page",
    SupplierBillItem: "shown on its bill's page",
    LandedCostReceipt: "shown on its cost's page",
    ExpectedReceipt: "its document's page shows what is to come",
    PickListItem: "shown on its list's page",
    PromotionGoods: "shown on its promotion's page",
    ShipmentItem: "shown on its shipment's page",
    ShipmentParcel: "shown on its shipment's page",
    ReturnItem: "shown on its return's page",
    **DRAFTS,
}
NO_FACTORY = {
    RateWindow: "accounts_rate_lease() alone writes it",
    Schedule: "the worker writes what the code declares",
    ScheduleRun: "the worker writes them",
    WorkerSeen: "the worker writes it",
    AttachmentVersion: "written with each file of an attachment",
    WebhookHealth: "the deliveries write it",
    ExternalSourceHealth: "the requests to the source write it",
    FeedPosition: "the relay writes it",
    SearchToken: "the database writes it with what it is about",
    CategoryItem: "made of the items",
    CategoryItemChange: "the database writes it as an item changes",
    CategoryItemsKept: "reading /items writes it",
    SalesDay: "summed of the orders",
    SalesDayChange: "the database writes it as an order changes",
}
# Indexes that do not begin with the organization.
ACROSS_ORGANIZATIONS = {
    (ApiKey, "prefix"): "a key is found before its organization is known",
    (IdentityProvider, "issuer"): "a token names its issuer before its organization is known",
    (IdempotencyRecord, "expires_at"): "the purge takes those of all organizations",
    (UsedNonce, "expires_at"): "the purge takes those of all organizations",
    (Invitation, "token_hash"): "an invitation is found before its organization is known",
    (Membership, "user"): "one default organization per person, of all that they belong to",
    (OutboxEvent, "seq"): "the relay takes the events of all organizations in order",
    (EventDelivery, "next_attempt_at"): "workers take the deliveries of all organizations",
    (EventDelivery, "leased_until"): "the sweep looks for lost deliveries of all organizations",
    (Job, "queue"): "workers take the jobs of all organizations, and the sweep looks for lost ones",
    (Job, "run_after"): "what is due is due for all organizations",
    (Job, "finished_at"): "metrics and the page Operations count what ended lately",
    (Reservation, "expires_at"): "those of all organizations expire by one clock",
    (EventDelivery, "finished_at"): "metrics and the page Operations count what ended lately",
}
# Filters, sort keys and references that need no index of their own.
NO_INDEX = {
    (AuditEntry, "row_id"): "given with table_name, whose index it continues",
    (ExternalIdentity, "subject"): "given with provider, whose constraint it continues",
    (Attachment, "object_id"): "given with object_type, whose index it continues",
    (ExchangeRate, "quote"): "given with base, whose index it continues",
    (ExchangeRate, "valid_on"): "given with base and quote, whose index it continues",
    (JournalEntry, "object_id"): "given with object_type, whose index it continues",
    (TaggedItem, "object_id"): "given with object_type, whose index it continues",
    (InboundWebhook, "external_id"): "given with source, whose constraint it continues",
    (ValueEntry, "from_layer"): "read from the entry, never looked for",
    (Membership, "status"): "an organization has hundreds of members, not millions",
    (Invitation, "email"): "an organization has hundreds of invitations, not millions",
}

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model._meta.label)
each_tenant_model = pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)


def indexes(model: type[models.Model], *, partial: bool = True) -> Iterator[list[str]]:
    """The columns of each index in their order, by field name."""
    for field in model._meta.local_fields:
        if field.unique or field.db_index:
            yield [field.name]
    for index in [*model._meta.indexes, *model._meta.constraints]:
        if isinstance(index, models.Index | models.UniqueConstraint) and (partial or index.condition is None):
            yield list(index.fields) or [_column(expression) for expression in index.expressions]


def _column(expression: models.Expression | models.F) -> str:
    column = expression.expression if isinstance(expression, models.expressions.OrderBy) else expression
    assert isinstance(column, models.F)
    return column.name


def is_indexed(model: type[models.Model], name: str) -> bool:
    return any(columns[:1] == [name] or columns[:2] == ["organization", name] for columns in indexes(model, partial=False))


def needs_index(model: type[models.Model], name: str) -> bool:
    return not is_indexed(model, name) and (model, name) not in NO_INDEX


@each_model
def test_has_an_endpoint_an_admin_page_and_a_factory(model: type[models.Model]) -> None:
    get_resolver("config.admin_urls").url_patterns  # noqa: B018  # imports the admin modules
    assert (model in {resource.model for resource in RESOURCES}) != (model in NO_ENDPOINT)
    assert admin.site.is_registered(model) != (model in NO_ADMIN)
    assert (model in BY_MODEL) != (model in NO_FACTORY)


@each_model
def test_belongs_to_an_organization_or_is_shared_on_purpose(model: type[models.Model]) -> None:
    own = issubclass(model, TenantRow) or model._meta.label == "accounts.Organization"
    assert own != (model._meta.db_table in settings.SHARED_TABLES)
    assert not model._meta.local_many_to_many, "its table would belong to no organization: make a model of it"


@each_tenant_model
def test_its_indexes_begin_with_the_organization(model: type[models.Model]) -> None:
    across = {columns[0] for columns in indexes(model) if columns[0] not in ("organization", "id")}
    assert across == {name for owner, name in ACROSS_ORGANIZATIONS if owner is model}


@each_model
def test_its_references_are_indexed(model: type[models.Model]) -> None:
    references = {field.name for field in model._meta.local_fields if isinstance(field, models.ForeignKey)} - {"organization"}
    assert not [name for name in sorted(references) if needs_index(model, name)]


@pytest.mark.parametrize("resource", RESOURCES, ids=lambda resource: resource.prefix)
def test_what_lists_choose_by_is_indexed(resource: Resource) -> None:
    view = resource.viewset
    chosen = {*view.filters, *view.search_keys, *view.sort_fields, *(name.lstrip("-") for name in view.ordering)}
    assert not [name for name in sorted(chosen - {"id"}) if needs_index(resource.model, name)]


def test_exemptions_are_needed() -> None:
    assert not [key for key in NO_INDEX if is_indexed(*key)]


@each_tenant_model
def test_is_audited_or_a_ledger_or_machinery(model: type[models.Model]) -> None:
    bases = {base.__name__ for base in model.__mro__}
    assert len(bases & {"AuditedModel", "LedgerModel", "RuntimeModel"}) == 1


def test_secrets_stay_out_of_the_audit() -> None:
    telling = ("password", "secret", "hash", "token")
    for model in MODELS:
        if issubclass(model, AuditedModel):
            texts = [field for field in model._meta.local_fields if not isinstance(field, models.IntegerField)]
            secret = {field.name for field in texts if any(word in field.name for word in telling)}
            assert secret <= set(model.audit_redacted), model


def test_migrations_are_complete(db: None) -> None:
    said = StringIO()
    call_command("makemigrations", check=True, dry_run=True, stdout=said)
    assert said.getvalue() == "No changes detected\n"
