"""Pick lists on paper, for who goes round without a device."""

from orders.models import PickList, PickListItem
from orders.queries.papers import number, paper, rows, text

WIDTHS = (26, 36, 58, 28, 18, 26)  # mm
HEAD = ("Place", "Article", "Name", "Lot", "Quantity", "Order")


def pick_list_pdf(pick_list: PickList) -> bytes:
    """What is still to be taken, from place to place."""
    pdf, family = paper()
    text(pdf, family, f"Pick list {pick_list.number}", 18)
    text(pdf, family, f"Warehouse {pick_list.warehouse.code}", 11)
    if pick_list.assignee:
        text(pdf, family, f"For {pick_list.assignee}", 11)
    pdf.ln(3)
    lines = pick_list.lines.select_related("order_item__order", "order_item__kit", "lot", "stock_item__location").order_by("line")
    rows(pdf, family, WIDTHS, HEAD, [
        (line.stock_item.location.code, line.order_item.sku, _name(line), line.lot.code if line.lot else "",
         number(left), line.order_item.order.number or "")
        for line in lines if (left := line.quantity - line.picked_quantity - line.short_quantity) > 0
    ])
    return bytes(pdf.output())


def _name(line: PickListItem) -> str:
    kit = line.order_item.kit
    return f"{line.order_item.name}, in {kit.sku}" if kit else str(line.order_item.name)
