from orders.models.channels import Channel as Channel
from orders.models.channels import Customer as Customer
from orders.models.sales import OrderAdjustment as OrderAdjustment
from orders.models.sales import SalesOrder as SalesOrder
from orders.models.sales import SalesOrderItem as SalesOrderItem
