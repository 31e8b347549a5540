from orders import events_returns as events
from orders.machines.declaring import Machine, Transition
from orders.models import ReturnAuthorization

S = ReturnAuthorization.Status
APPROVE, RECEIVE = "orders.approve_returnauthorization", "orders.receive_returnauthorization"
SETTLE = "orders.settle_returnauthorization"

RETURNS = Machine(ReturnAuthorization, [
    Transition("approve", (S.REQUESTED,), S.APPROVED, APPROVE, events.ReturnApproved),
    Transition("reject", (S.REQUESTED, S.APPROVED), S.REJECTED, APPROVE, events.ReturnRejected),
    Transition("receive", (S.APPROVED, S.RECEIVED), S.RECEIVED, RECEIVE, events.ReturnReceived),
    Transition("inspect", (S.RECEIVED,), S.INSPECTED, RECEIVE, events.ReturnInspected),
    Transition("refund", (S.INSPECTED,), S.REFUNDED, SETTLE, events.ReturnRefunded),
    Transition("replace", (S.INSPECTED,), S.REPLACED, SETTLE, events.ReturnReplaced),
    Transition("close", (S.INSPECTED, S.REFUNDED, S.REPLACED), S.CLOSED, SETTLE, events.ReturnClosed),
])
