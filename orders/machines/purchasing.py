from orders import events_purchasing as events
from orders.machines.declaring import Machine, Transition
from orders.machines.guards import approved_just_now
from orders.models import PurchaseOrder

S = PurchaseOrder.Status
CHANGE, RECEIVE, APPROVE = "orders.change_purchaseorder", "orders.receive_purchaseorder", "orders.approve_purchaseorder"
BILL = "orders.change_supplierbill"  # the order follows its bills

PURCHASE_ORDERS = Machine(PurchaseOrder, [
    Transition("submit", (S.DRAFT,), S.PENDING_APPROVAL, CHANGE, events.PurchaseOrderSubmitted, besides=(S.APPROVED,)),
    Transition("approve", (S.PENDING_APPROVAL,), S.APPROVED, APPROVE, events.PurchaseOrderApproved),
    Transition("withdraw_approval", (S.APPROVED,), S.PENDING_APPROVAL, APPROVE, events.PurchaseOrderApprovalWithdrawn,
               guard=approved_just_now, guarded_by="by who approved it, within seconds"),
    Transition("reject", (S.PENDING_APPROVAL,), S.DRAFT, APPROVE, events.PurchaseOrderRejected),
    Transition("revise", (S.PENDING_APPROVAL, S.APPROVED, S.SENT), S.DRAFT, CHANGE, events.PurchaseOrderRevised),
    Transition("send", (S.APPROVED,), S.SENT, "orders.send_purchaseorder", events.PurchaseOrderSent),
    Transition("receive", (S.SENT, S.PARTIALLY_RECEIVED, S.RECEIVED, S.BILLED), S.PARTIALLY_RECEIVED, RECEIVE,
               events.PurchaseOrderReceived, besides=(S.RECEIVED, S.SENT)),
    Transition("send_back", (S.PARTIALLY_RECEIVED, S.RECEIVED, S.BILLED, S.CLOSED), S.PARTIALLY_RECEIVED, RECEIVE,
               events.PurchaseOrderReturned, besides=(S.RECEIVED, S.CLOSED)),
    Transition("bill", (S.RECEIVED,), S.BILLED, BILL, events.PurchaseOrderBilled, guarded_by="all that came is billed",
               follows=True),
    Transition("unbill", (S.BILLED,), S.RECEIVED, BILL, events.PurchaseOrderUnbilled, guarded_by="a bill was voided",
               follows=True),
    Transition("close", (S.SENT, S.PARTIALLY_RECEIVED, S.RECEIVED, S.BILLED), S.CLOSED, CHANGE, events.PurchaseOrderClosed),
    Transition("cancel", (S.DRAFT, S.PENDING_APPROVAL, S.APPROVED, S.SENT), S.CANCELLED, CHANGE, events.PurchaseOrderCancelled),
])
