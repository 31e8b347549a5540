"""The inbox of whoever is signed in, and how their messages come to them."""

from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Organization, User
from core.admin_forms import TenantModelForm
from core.admin_pages import key_of, page_for
from core.errors import Invalid, NotFound
from core.tenancy import active_organization_id
from notifications.channels import Channel
from notifications.models import Notification, NotificationPreference, Topic
from notifications.queries.inbox import unread_count
from notifications.services.inbox import (
    membership_of,
    notification_archive,
    notification_read,
    notification_snooze,
    notifications_read,
    own_notifications,
    own_preferences,
    preference_write,
    waiting,
)
from notifications.services.own_topics import own_topic_switch, own_topics

OWN_INBOX = "notifications.view_notification"
PAGE = 50
USUAL = {"channel": Channel.EMAIL, "mode": NotificationPreference.Mode.DAILY}
BEFORE = "%Y-%m-%dT%H:%M:%S.%f"


def urls(site: Any) -> list[Any]:
    return [
        path("inbox/", page_for(site, inbox_view, permissions=[OWN_INBOX]), name="inbox"),
        path("inbox/bell/", page_for(site, bell_view, ["GET"], permissions=[OWN_INBOX]), name="inbox_bell"),
        path("inbox/<uuid:notification>/", page_for(site, open_view, ["GET"], permissions=[OWN_INBOX]), name="inbox_open"),
        path("my-notifications/", page_for(site, preferences_view, permissions=[OWN_INBOX]), name="my_notifications"),
    ]


def inbox_view(site: Any, request: Any) -> HttpResponse:
    """Those that wait, the latest first; what is done with one is posted here."""
    if request.method == "POST":
        _act(request)
        return HttpResponseRedirect(reverse("admin:inbox"))
    before = _moment(request.GET.get("before", ""))
    rows = own_notifications(request.user.pk).filter(waiting(timezone.now())).order_by("-told_at", "-id")
    found: list[Notification] = list(rows.filter(told_at__lt=before)[: PAGE + 1] if before else rows[: PAGE + 1])
    more = len(found) > PAGE
    return TemplateResponse(request, "admin/notifications/inbox.html", {
        **site.each_context(request), "title": "Inbox", "rows": found[:PAGE], "is_later": before is not None,
        "older": found[PAGE - 1].told_at.strftime(BEFORE) if more else "",
    })


def open_view(site: Any, request: Any, notification: Any) -> HttpResponse:
    """Read, and where it leads to."""
    row: Notification | None = own_notifications(request.user.pk).filter(pk=notification).first()
    if row is None:
        raise NotFound("There is no such message in your inbox.")
    notification_read(user_id=request.user.pk, notification_id=row.pk)
    return HttpResponseRedirect(row.link or f"{reverse('admin:inbox')}#{row.pk}")


def bell_view(site: Any, request: Any) -> HttpResponse:
    """What an open page asks each minute: the bell, if it shows another number."""
    count = unread_count(request.user.pk)
    if request.GET.get("shown") == str(count):
        return HttpResponse(status=HTTPStatus.NO_CONTENT)
    return TemplateResponse(request, "unfold/helpers/bell.html", {"unread": count})


def _act(request: Any) -> None:
    """Raises Invalid, NotFound."""
    who, verb = request.user.pk, request.POST.get("do", "")
    if verb == "read-all":
        messages.success(request, f"{notifications_read(user_id=who)} read.")
        return
    chosen = key_of(request.POST, "id")
    if verb in ("read", "unread"):
        notification_read(user_id=who, notification_id=chosen, is_read=verb == "read")
    elif verb == "archive":
        notification_archive(user_id=who, notification_id=chosen)
        messages.success(request, "Archived.")
    elif verb in ("hour", "tomorrow", "week"):
        until = _snoozed_until(who, verb)
        notification_snooze(user_id=who, notification_id=chosen, until=until)
        messages.success(request, f"It comes back at {until:%Y-%m-%d %H:%M %Z}.")
    else:
        raise Invalid("Choose one of the buttons.")


def _snoozed_until(user_id: Any, verb: str) -> datetime:
    """In an hour, or at eight in the morning where the person is."""
    own = User.objects.filter(pk=user_id).values_list("timezone", flat=True).first()
    zone = ZoneInfo(own or Organization.objects.values_list("timezone", flat=True).get(pk=active_organization_id()))
    now = timezone.now().astimezone(zone)
    if verb == "hour":
        return now + timedelta(hours=1)
    day = now.date() + timedelta(days=1 if verb == "tomorrow" else 7)
    return datetime(day.year, day.month, day.day, 8, tzinfo=zone)


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, BEFORE).replace(tzinfo=ZoneInfo("UTC"))
    except ValueError:
        return None


# --- How they come ----------------------------------------------------------------------------------------
class PreferenceForm(TenantModelForm):
    category = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget)

    class Meta:
        model = NotificationPreference
        fields = ["category", "channel", "mode", "send_at", "send_on", "quiet_from", "quiet_to"]
        widgets = {
            **dict.fromkeys(("channel", "mode", "send_on"), UnfoldAdminSelectWidget),
            **{name: UnfoldAdminTextInputWidget(attrs={"type": "time"}) for name in ("send_at", "quiet_from", "quiet_to")},
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = {*Topic.objects.exclude(category="").values_list("category", flat=True), self.instance.category} - {""}
        field: Any = self.fields["category"]
        field.choices = [("", "Everything else"), *((one, one.capitalize()) for one in sorted(known))]


def preferences_view(site: Any, request: Any) -> HttpResponse:
    who = request.user.pk
    membership_of(who)
    form: PreferenceForm | None = None
    if request.method == "POST":
        form = _preferences_act(request)
        if form is None:
            return HttpResponseRedirect(reverse("admin:my_notifications"))
    return TemplateResponse(request, "admin/notifications/my_notifications.html", {
        **site.each_context(request), "title": "My notifications", "topics": own_topics(user_id=who),
        "preferences": own_preferences(who).order_by("category", "channel"), "form": form or PreferenceForm(initial=USUAL),
    })


def _preferences_act(request: Any) -> PreferenceForm | None:
    """The form where something is wrong with it. Raises DomainError."""
    who, verb = request.user.pk, request.POST.get("do", "")
    if verb in ("on", "off"):
        channel = request.POST.get("channel", "")
        own_topic_switch(user_id=who, topic_id=key_of(request.POST, "topic"), channel=channel, on=verb == "on")
        return None
    if verb == "forget":
        own_preferences(who).filter(pk=key_of(request.POST, "id")).delete()
        return None
    if verb != "add":
        raise Invalid("Choose one of the buttons.")
    chosen = {name: request.POST.get(name, "") for name in ("category", "channel")}
    there = own_preferences(who).filter(**chosen).first()
    form = PreferenceForm(request.POST, instance=there)
    if not form.is_valid():
        return form
    preference_write(preference=form.instance, user_id=who)
    messages.success(request, "Saved.")
    return None
