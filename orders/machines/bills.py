from orders import events_bills as events
from orders.machines.declaring import Machine, Transition
from orders.models import SupplierBill

S = SupplierBill.Status
CHANGE, APPROVE = "orders.change_supplierbill", "orders.approve_supplierbill"

SUPPLIER_BILLS = Machine(SupplierBill, [
    Transition("submit", (S.DRAFT,), S.IN_VARIANCE, CHANGE, events.SupplierBillSubmitted, besides=(S.APPROVED,)),
    Transition("approve", (S.IN_VARIANCE,), S.APPROVED, APPROVE, events.SupplierBillApproved),
    Transition("reject", (S.IN_VARIANCE,), S.DRAFT, APPROVE, events.SupplierBillRejected),
    Transition("void", (S.APPROVED,), S.CANCELLED, APPROVE, events.SupplierBillVoided),
    Transition("cancel", (S.DRAFT, S.IN_VARIANCE), S.CANCELLED, CHANGE, events.SupplierBillCancelled),
])
