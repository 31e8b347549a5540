from orders import events_picking as events
from orders.machines.declaring import Machine, Transition
from orders.models import PickList

S = PickList.Status
PICK = "orders.pick_picklist"

PICK_LISTS = Machine(PickList, [
    Transition("start", (S.OPEN,), S.PICKING, PICK, events.PickListStarted),
    Transition("pick", (S.PICKING,), S.PICKING, PICK, events.PickListPicked, stays=True),
    Transition("put_back", (S.PICKING,), S.PICKING, PICK, events.PickListPutBack, stays=True),
    Transition("short", (S.PICKING,), S.PICKING, PICK, events.PickListShort, stays=True),
    Transition("finish", (S.PICKING,), S.DONE, PICK, events.PickListFinished),
    Transition("cancel", PickList.ACTIVE, S.CANCELLED, PICK, events.PickListCancelled),
])
