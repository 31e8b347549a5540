from django.contrib import admin

from core.admin import ReadOnlyTenantAdmin, TenantAdmin, TenantTabularInline
from notifications.models import NotificationDelivery, Topic, TopicSubscription


class TopicSubscriptionInline(TenantTabularInline):
    model = TopicSubscription


@admin.register(Topic)
class TopicAdmin(TenantAdmin):
    list_display = ["name", "key", "category", "is_mandatory"]
    search_keys = ["name_key", "key"]
    inlines = [TopicSubscriptionInline]


@admin.register(TopicSubscription)
class TopicSubscriptionAdmin(TenantAdmin):
    list_display = ["address", "topic", "channel", "membership", "status"]
    list_select_related = ["membership__user"]
    list_filter = ["status"]


@admin.register(NotificationDelivery)
class NotificationDeliveryAdmin(ReadOnlyTenantAdmin):
    list_display = ["created_at", "subject", "address", "channel", "status", "attempts", "sent_at"]
    list_filter = ["status"]
