from notifications.models.events import OutboxEvent as OutboxEvent
from notifications.models.messages import Channel as Channel
from notifications.models.messages import NotificationDelivery as NotificationDelivery
from notifications.models.messages import Topic as Topic
from notifications.models.messages import TopicSubscription as TopicSubscription
from notifications.models.work import Job as Job
from notifications.models.work import Schedule as Schedule
from notifications.models.work import ScheduleRun as ScheduleRun
