from notifications.admin import alerting as alerting
from notifications.admin import events as events
from notifications.admin import inbound as inbound
from notifications.admin import messages as messages
from notifications.admin import schedules as schedules
from notifications.admin import sending as sending
from notifications.admin import webhooks as webhooks
from notifications.admin import work as work
