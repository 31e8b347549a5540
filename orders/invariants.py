from orders.queries.purchase_invariants import PURCHASE_INVARIANTS

INVARIANTS = [*PURCHASE_INVARIANTS]
