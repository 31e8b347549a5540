"""Every address of the API. A module of it is imported when one of its addresses is asked for."""

from django.urls import path

from core.routing import LateModule, Routes

# A module, and the prefixes of its `routes`.
annotations = LateModule("accounts.api.annotations", "tags", "tagged-items", "journal-entries")
attachments = LateModule("accounts.api.attachments", "attachments")
auth = LateModule("accounts.api.auth")
customizing = LateModule("accounts.api.customizing", "custom-field-definitions", "saved-filters")
documents = LateModule("accounts.api.documents", "number-sequences")
files = LateModule("accounts.api.files")
governance = LateModule(
    "accounts.api.governance", "audit-entries", "audit-seals", "retention-policies", "data-subject-requests", "feature-flags",
)
impersonation = LateModule("accounts.api.impersonation", "impersonations")
invitations = LateModule("accounts.api.invitations", "invitations")
keys = LateModule("accounts.api.keys", "api-keys")
partners = LateModule("accounts.api.partners", "parties", "addresses", "contacts")
people = LateModule("accounts.api.people", "users")
providers = LateModule("accounts.api.providers", "identity-providers", "external-identities")
rates = LateModule("accounts.api.rates", "exchange-rates")
roles = LateModule("accounts.api.roles", "roles", "user-roles")
second_factors = LateModule("accounts.api.second_factors")
sessions = LateModule("accounts.api.sessions", "user-sessions")
tenancy = LateModule("accounts.api.tenancy", "organizations", "memberships")
ways_in = LateModule("accounts.api.ways_in")
abc = LateModule("inventory.api.abc")
adjustments = LateModule("inventory.api.adjustments", "stock-adjustments", "stock-adjustment-lines")
analytics = LateModule("inventory.api.analytics")
analytics_reports = LateModule("inventory.api.analytics_reports")
assemblies = LateModule("inventory.api.assemblies", "bom-lines")
attributes = LateModule("inventory.api.attributes", "attribute-definitions", "product-attribute-values")
barcodes = LateModule("inventory.api.barcodes", "product-barcodes")
catalog = LateModule("inventory.api.catalog", "units-of-measure", "categories", "products", "product-variants")
closings = LateModule("inventory.api.closings", "stock-closings")
counts = LateModule("inventory.api.counts", "stock-counts", "stock-count-plans")
forecasts = LateModule("inventory.api.forecasts", "demand-forecasts")
inventory_value = LateModule("inventory.api.inventory_value")
labels = LateModule("inventory.api.labels")
locations = LateModule("inventory.api.locations", "warehouses", "locations")
logistic_units = LateModule("inventory.api.logistic_units", "logistic-units")
lots = LateModule("inventory.api.lots", "lots")
prices = LateModule("inventory.api.prices", "price-lists", "price-list-items")
public = LateModule("inventory.api.public")
relations = LateModule("inventory.api.relations", "product-relations")
replenishment = LateModule("inventory.api.replenishment", "reorder-rules", "low-stock", "reorder-tasks")
reservations = LateModule("inventory.api.reservations", "reservations")
stock = LateModule("inventory.api.stock", "reason-codes", "stock-items", "stock-moves")
suppliers = LateModule("inventory.api.suppliers", "suppliers", "supplier-products")
taxes = LateModule("inventory.api.taxes", "tax-categories", "tax-rates")
transfers = LateModule("inventory.api.transfers", "transfer-orders")
valuation = LateModule("inventory.api.valuation", "cost-layers", "value-entries", "stock-snapshots")
vehicles = LateModule("inventory.api.vehicles", "vehicle-models", "fitments")
alerts = LateModule("notifications.api.alerting", "alert-rules", "alerts")
deliveries = LateModule("notifications.api.deliveries", "event-subscriptions", "event-deliveries")
event_types = LateModule("notifications.api.event_types")
events = LateModule("notifications.api.events", "events")
exports = LateModule("notifications.api.exports")
inbound = LateModule("notifications.api.inbound", "inbound-sources", "inbound-webhooks")
inbox = LateModule("notifications.api.inbox", "my/notifications", "my/notification-preferences")
messages = LateModule("notifications.api.messages", "topics", "topic-subscriptions", "notification-deliveries")
sending = LateModule("notifications.api.sending", "channel-configs")
watches = LateModule(
    "notifications.api.watches", "external-sources", "external-subjects", "external-cache-entries", "watches", "watch-hits",
)
webhooks = LateModule("notifications.api.webhooks", "webhook-endpoints", "delivery-attempts")
work = LateModule("notifications.api.work", "jobs", "job-attempts")
order_analytics = LateModule("orders.api.analytics")
bills = LateModule("orders.api.bills", "supplier-bills")
channels = LateModule("orders.api.channels", "channels", "customers")
invoices = LateModule("orders.api.invoices", "invoices", "invoice-layouts")
landed_costs = LateModule("orders.api.landed_costs", "landed-costs")
my_orders = LateModule("orders.api.my_orders", "my/orders")
payments = LateModule("orders.api.payments", "payment-accounts", "payments")
pick_lists = LateModule("orders.api.pick_lists", "pick-lists")
promotions = LateModule("orders.api.promotions", "promotions", "promotion-uses")
purchasing = LateModule("orders.api.purchasing", "purchase-orders")
receipts = LateModule("orders.api.receipts", "goods-receipts")
returns = LateModule("orders.api.returns", "returns")
sales_orders = LateModule("orders.api.sales_orders", "sales-orders")
shipments = LateModule("orders.api.shipments", "shipments")
shipping = LateModule("orders.api.shipping", "shipping-methods")

router = Routes(
    tenancy, people, roles, keys, providers, invitations, sessions,
    impersonation,
    partners, documents, governance, attachments,
    annotations, customizing, rates,
    adjustments, assemblies, attributes, barcodes, catalog, closings,
    counts, forecasts, locations, logistic_units, lots, prices, relations,
    replenishment, reservations, stock, suppliers, taxes, transfers, valuation,
    vehicles,
    events, deliveries, messages, sending, alerts, webhooks, inbound, work, watches,
    bills, channels, invoices, landed_costs, payments, pick_lists, promotions, purchasing, receipts,
    returns, sales_orders, shipments, shipping,
)
own = Routes(my_orders, inbox)  # whose rows depend on who asks

# Addresses that need no sign-in; a contract test walks all others and expects 401.
ANONYMOUS = {
    "token",
    "token-refresh",
    "token-second-factor",
    "schema",
    "docs",
    "attachment-upload",
    "attachment-file",
    "inbound",
    "public-products", "public-product-variants",
    "sign-up", "verify-email", "verify-email-resend", "password-reset", "password-reset-confirm", "invitation-accept",
}

urlpatterns = [
    path("auth/token/", auth.TokenView.as_view(), name="token"),
    path("auth/token/refresh/", auth.RefreshView.as_view(), name="token-refresh"),
    path("auth/token/second-factor/", second_factors.SecondFactorSignInView.as_view(), name="token-second-factor"),
    path("auth/sign-out/", auth.SignOutView.as_view(), name="sign-out"),
    path("auth/sign-up/", ways_in.SignUpView.as_view(), name="sign-up"),
    path("auth/verify-email/", ways_in.VerifyEmailView.as_view(), name="verify-email"),
    path("auth/verify-email/resend/", ways_in.ResendView.as_view(), name="verify-email-resend"),
    path("auth/password/reset/", ways_in.PasswordResetView.as_view(), name="password-reset"),
    path("auth/password/reset/confirm/", ways_in.PasswordResetConfirmView.as_view(), name="password-reset-confirm"),
    path("auth/password/change/", ways_in.PasswordChangeView.as_view(), name="password-change"),
    path("auth/email/change/", ways_in.EmailChangeView.as_view(), name="email-change"),
    path("auth/invitation/accept/", ways_in.AcceptView.as_view(), name="invitation-accept"),
    path("auth/sessions/", sessions.OwnSessionsView.as_view(), name="own-sessions"),
    path("auth/sessions/<str:id>/", sessions.OwnSessionView.as_view(), name="own-session"),
    path("me/", people.OwnRecordView.as_view(), name="me"),
    path("me/avatar/", files.OwnAvatarView.as_view(), name="own-avatar"),
    path("avatars/<uuid:id>/", files.AvatarView.as_view(), name="avatar"),
    path("me/second-factors/", second_factors.SecondFactorsView.as_view(), name="second-factors"),
    path("me/second-factors/<str:pk>/remove/", second_factors.SecondFactorView.as_view(), name="second-factor"),
    path("me/second-factors/totp/begin/", second_factors.TotpBeginView.as_view(), name="totp-begin"),
    path("me/second-factors/totp/activate/", second_factors.TotpActivateView.as_view(), name="totp-activate"),
    path("me/second-factors/recovery-codes/", second_factors.RecoveryCodesView.as_view(), name="recovery-codes"),
    path("me/second-factors/webauthn/begin/", second_factors.WebAuthnBeginView.as_view(), name="webauthn-begin"),
    path("me/second-factors/webauthn/complete/", second_factors.WebAuthnCompleteView.as_view(), name="webauthn-complete"),
    *router.urls,
    *own.urls,
    path("analytics/inventory/", analytics.InventoryStatisticsView.as_view(), name="inventory-statistics"),
    path("analytics/value/", analytics_reports.ValueView.as_view(), name="analytics-value"),
    path("analytics/turnover/", analytics_reports.TurnoverView.as_view(), name="analytics-turnover"),
    path("analytics/movers/", analytics_reports.MoversView.as_view(), name="analytics-movers"),
    path("analytics/abc/", analytics_reports.AbcView.as_view(), name="analytics-abc"),
    path("analytics/abc/apply/", abc.AbcApplyView.as_view(), name="analytics-abc-apply"),
    path("analytics/ageing/", analytics_reports.AgeingView.as_view(), name="analytics-ageing"),
    path("analytics/shortages/", analytics_reports.ShortagesView.as_view(), name="analytics-shortages"),
    path("analytics/stock-outs/", analytics_reports.StockOutsView.as_view(), name="analytics-stock-outs"),
    path("analytics/orders/revenue/", order_analytics.RevenueView.as_view(), name="analytics-orders-revenue"),
    path("analytics/orders/states/", order_analytics.StatesView.as_view(), name="analytics-orders-states"),
    path("analytics/orders/receivables/", order_analytics.ReceivablesView.as_view(), name="analytics-orders-receivables"),
    path("analytics/orders/service/", order_analytics.ServiceView.as_view(), name="analytics-orders-service"),
    path("labels/", labels.LabelsView.as_view(), name="labels"),
    path("scans/", barcodes.ScansView.as_view(), name="scans"),
    path("inventory-value/", inventory_value.InventoryValueView.as_view(), name="inventory-value"),
    path("inventory-value/history/", inventory_value.ValueHistoryView.as_view(), name="value-history"),
    path("inventory-value/costing-method/", inventory_value.CostingMethodView.as_view(), name="costing-method"),
    path("exports/", exports.ExportsView.as_view(), name="exports"),
    path("exports/<uuid:id>/", exports.ExportView.as_view(), name="export"),
    path("exports/<uuid:id>/file/", exports.ExportFileView.as_view(), name="export-file"),
    path("public/<uuid:id>/products/", public.PublicProductsView.as_view(), name="public-products"),
    path("public/<uuid:id>/product-variants/", public.PublicVariantsView.as_view(), name="public-product-variants"),
    path("event-types/", event_types.EventTypesView.as_view(), name="event-types"),
    path("event-types/<str:id>/", event_types.EventTypeView.as_view(), name="event-type"),
    path("alert-metrics/", alerts.AlertMetricsView.as_view(), name="alert-metrics"),
    path("attachments/uploads/<str:id>/", files.SignedUploadView.as_view(), name="attachment-upload"),
    path("inbound/<uuid:id>/", inbound.InboundView.as_view(), name="inbound"),
    path("attachments/downloads/<str:id>/", files.SignedFileView.as_view(), name="attachment-file"),
]
