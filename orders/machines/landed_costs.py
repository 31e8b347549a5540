from orders import events_landed_costs as events
from orders.machines.declaring import Machine, Transition
from orders.models import LandedCost

S = LandedCost.Status
POST = "orders.post_landedcost"

LANDED_COSTS = Machine(LandedCost, [
    Transition("post", (S.DRAFT,), S.POSTED, POST, events.LandedCostPosted),
    Transition("reverse", (S.POSTED,), S.REVERSED, POST, events.LandedCostReversed),
    Transition("cancel", (S.DRAFT,), S.CANCELLED, "orders.change_landedcost", events.LandedCostCancelled),
])
