from core.privacy import PersonalData

PERSONAL = [
    PersonalData(
        "inventory_stockmove", "Stock moves", "t.actor_id = %(user_id)s::uuid", "keep",
        "The stock ledger is bookkeeping. It holds the person's id alone, which names nobody after the erasure.",
    ),
    PersonalData(
        "inventory_valueentry", "Value entries", "t.actor_id = %(user_id)s::uuid", "keep",
        "The ledger of values is bookkeeping. It holds the person's id alone, which names nobody after the erasure.",
    ),
]  # fmt: skip
