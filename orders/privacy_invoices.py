from core.privacy import PersonalData, mentioned, without_the_address

OF_THE_PERSON = (
    "t.customer_id IN (SELECT c.id FROM orders_customer AS c"
    " WHERE c.organization_id = t.organization_id AND c.user_id = %(user_id)s::uuid)"
)

INVOICES = [
    PersonalData(
        "orders_invoice", "Invoices and credit notes", f"{OF_THE_PERSON} AND t.status = 'issued'", "keep",
        "Tax law wants invoices kept for years as they were issued, with name and address.",
    ),
    PersonalData(
        "orders_invoice", "Drafts of invoices", f"{OF_THE_PERSON} AND t.status = 'draft'", "pseudonymise",
        "Who buys is written anew as it is issued.", {"buyer": "'{}'"},
    ),
    PersonalData(
        "orders_invoice", "Notes of invoices' drafts that mention the person", f"{mentioned('t.note')} AND t.status = 'draft'",
        "pseudonymise", "The address is taken out.", {"note": without_the_address("note")},
    ),
]  # fmt: skip
