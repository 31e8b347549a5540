from core.privacy import PersonalData

PERSONAL = [
    PersonalData(
        "inventory_stockmove", "Stock moves", "t.actor_id = %(user_id)s::uuid", "keep",
        "The stock ledger is bookkeeping. It holds the person's id alone, which names nobody after the erasure.",
    ),
    PersonalData(
        "inventory_reservation", "Reservations of stock", "t.actor_id = %(user_id)s::uuid", "keep",
        "They say what was promised for which order. They hold the person's id alone, which names nobody after the erasure.",
    ),
    PersonalData(
        "inventory_stockclosing", "Closings of the stock's books", "t.actor_id = %(user_id)s::uuid", "keep",
        "The stock ledger is bookkeeping. It holds the person's id alone, which names nobody after the erasure.",
    ),
    PersonalData(
        "inventory_stockadjustment", "Adjustments that needed approval",
        "t.requested_by = %(user_id)s::uuid OR t.decided_by = %(user_id)s::uuid", "keep",
        "Two people stand for a correction of the books. It holds their ids alone, which name nobody after the erasure.",
    ),
    PersonalData(
        "inventory_trayline", "What the person has in their tray", "t.actor_id = %(user_id)s::uuid", "delete",
        "It is a note of what they were about to move.",
    ),
    PersonalData(
        "inventory_receiptdraftentry", "What the person is receiving",
        """t.draft_id IN (SELECT d.id FROM inventory_receiptdraft AS d
            WHERE d.organization_id = t.organization_id AND d.actor_id = %(user_id)s::uuid)""", "delete",
        "It is a note of what was not posted yet.",
    ),
    PersonalData(
        "inventory_receiptdraft", "Where the person is receiving goods", "t.actor_id = %(user_id)s::uuid", "delete",
        "It is a note of what was not posted yet.",
    ),
    PersonalData(
        "inventory_stockcount", "Stock counts", "t.requested_by = %(user_id)s::uuid OR t.decided_by = %(user_id)s::uuid", "keep",
        "They stand for corrections of the books. They hold people's ids alone, which name nobody after the erasure.",
    ),
    PersonalData(
        "inventory_stockcountline", "What was counted", "t.counted_by = %(user_id)s::uuid", "keep",
        "It stands for corrections of the books. It holds the person's id alone, which names nobody after the erasure.",
    ),
    PersonalData(
        "inventory_reordertask", "Reorder tasks", "t.assignee_id = %(membership_id)s::uuid", "pseudonymise",
        "What is to be bought is the organization's; nobody has to do it any more.", {"assignee_id": "NULL"},
    ),
    PersonalData(
        "inventory_valueentry", "Value entries", "t.actor_id = %(user_id)s::uuid", "keep",
        "The ledger of values is bookkeeping. It holds the person's id alone, which names nobody after the erasure.",
    ),
]  # fmt: skip
