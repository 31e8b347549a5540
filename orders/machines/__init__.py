"""What a document may become, declared once: services step by it, the API and the admin offer it, docs/states.md draws it."""

from orders.machines.bills import SUPPLIER_BILLS as SUPPLIER_BILLS
from orders.machines.declaring import MACHINES as MACHINES
from orders.machines.declaring import Machine as Machine
from orders.machines.declaring import Transition as Transition
from orders.machines.invoices import INVOICES as INVOICES
from orders.machines.landed_costs import LANDED_COSTS as LANDED_COSTS
from orders.machines.pick_lists import PICK_LISTS as PICK_LISTS
from orders.machines.purchasing import PURCHASE_ORDERS as PURCHASE_ORDERS
from orders.machines.returns import RETURNS as RETURNS
from orders.machines.sales import SALES_ORDERS as SALES_ORDERS
from orders.machines.shipments import SHIPMENTS as SHIPMENTS
