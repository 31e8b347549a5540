from core.privacy import PersonalData, mentioned, without_the_address
from orders.privacy_invoices import INVOICES
from orders.privacy_payments import PAYMENTS
from orders.privacy_purchasing import PURCHASING

MENTIONED = "The address is taken out."

PERSONAL = [
    PersonalData(
        "orders_picklist", "Pick lists", "t.assignee_id = %(membership_id)s::uuid", "pseudonymise",
        "What was picked is told; who went round is told no longer.", {"assignee_id": "NULL"},
    ),
    PersonalData(
        "orders_picklistitem", "Reasons of short picks that mention the person", mentioned("t.short_reason"), "pseudonymise",
        MENTIONED, {"short_reason": without_the_address("short_reason")},
    ),
    PersonalData(
        "orders_orderentrystep", "What the person is selling",
        """t.entry_id IN (SELECT e.id FROM orders_orderentry AS e
            WHERE e.organization_id = t.organization_id AND e.actor_id = %(user_id)s::uuid)""", "delete",
        "It is a note of what was not ordered yet.",
    ),
    PersonalData(
        "orders_orderentry", "For whom the person is entering an order", "t.actor_id = %(user_id)s::uuid", "delete",
        "It is a note of what was not ordered yet.",
    ),
    *INVOICES,
    *PAYMENTS,
    *PURCHASING,
    PersonalData(
        "orders_returnauthorization", "Notes of returns that mention the person", mentioned("t.note"), "pseudonymise", MENTIONED,
        {"note": without_the_address("note")},
    ),
    PersonalData(
        "orders_returnitem", "Notes on returned goods that mention the person", mentioned("t.note"), "pseudonymise", MENTIONED,
        {"note": without_the_address("note")},
    ),
    PersonalData(
        "orders_salesorder", "Sales orders that are over",
        "(lower(t.email) = %(email)s OR t.customer_id IN (SELECT c.id FROM orders_customer AS c"
        " WHERE c.organization_id = t.organization_id AND c.user_id = %(user_id)s::uuid))"
        " AND t.status IN ('completed', 'cancelled')", "pseudonymise",
        "What was sold is bookkeeping; to whom it went is told no longer.",
        {"email": "''", "shipping_address": "'{}'", "billing_address": "'{}'", "note": "''"},
    ),
    PersonalData(
        "orders_salesorder", "Sales orders that are under way",
        "(lower(t.email) = %(email)s OR t.customer_id IN (SELECT c.id FROM orders_customer AS c"
        " WHERE c.organization_id = t.organization_id AND c.user_id = %(user_id)s::uuid))"
        " AND t.status NOT IN ('completed', 'cancelled')", "keep",
        "The person is owed the goods: cancel or complete the order, and erase again.",
    ),
    PersonalData(
        "orders_salesorder", "Notes of sales orders that mention the person", mentioned("t.note"), "pseudonymise", MENTIONED,
        {"note": without_the_address("note")},
    ),
    PersonalData(
        "orders_customer", "The customer as whom the person signs in", "t.user_id = %(user_id)s::uuid", "pseudonymise",
        "The partner stays; nobody signs in as it any more.", {"user_id": "NULL"},
    ),
]  # fmt: skip
