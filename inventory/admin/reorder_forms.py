"""What is asked before reorder tasks are decided."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts.models import Membership
from core.characters import CONTROL, REFUSAL


class PlainForm(forms.Form):
    """Nothing."""


class AssignForm(forms.Form):
    assignee = forms.ModelChoiceField(
        Membership.objects.none(), required=False, widget=UnfoldAdminSelectWidget, empty_label="Nobody in particular",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = Membership.objects.filter(status=Membership.Status.ACTIVE).select_related("user").order_by("user__name")
        self.fields["assignee"].queryset = members  # type: ignore[attr-defined]


class SnoozeForm(forms.Form):
    until = forms.DateField(
        widget=UnfoldAdminTextInputWidget(attrs={"type": "date"}), help_text="On this day they are open again.",
    )


class DismissForm(forms.Form):
    reason = forms.CharField(
        max_length=500, widget=UnfoldAdminTextInputWidget,
        help_text="The need is told again when the stock falls further, or is low again after it was not.",
    )

    def clean_reason(self) -> str:
        reason: str = self.cleaned_data["reason"]
        if CONTROL.search(reason):
            raise forms.ValidationError(REFUSAL)
        return reason
