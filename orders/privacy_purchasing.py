from core.privacy import PersonalData

PURCHASING = [
    PersonalData(
        "orders_supplierbill", "Suppliers' bills",
        "t.entered_by = %(user_id)s::uuid OR t.submitted_by = %(user_id)s::uuid OR t.decided_by = %(user_id)s::uuid", "keep",
        "Two people stand for what is paid. They hold their ids alone, which name nobody after the erasure.",
    ),
    PersonalData(
        "orders_purchaseorder", "Purchase orders",
        "t.requested_by = %(user_id)s::uuid OR t.decided_by = %(user_id)s::uuid", "keep",
        "Two people stand for what was bought. They hold their ids alone, which name nobody after the erasure.",
    ),
    PersonalData(
        "orders_goodsreceipt", "Goods receipts", "t.actor_id = %(user_id)s::uuid", "keep",
        "They are bookkeeping. They hold the person's id alone, which names nobody after the erasure.",
    ),
]  # fmt: skip
