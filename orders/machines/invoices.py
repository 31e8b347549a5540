from orders.events_invoices import InvoiceIssued
from orders.machines.declaring import Machine, Transition
from orders.models import Invoice

S = Invoice.Status

# An invoice ends issued: what is wrong with it is taken back by a credit note.
INVOICES = Machine(Invoice, [Transition("issue", (S.DRAFT,), S.ISSUED, "orders.issue_invoice", InvoiceIssued)])
