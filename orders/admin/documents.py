from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpResponse, HttpResponseRedirect
from django.urls import reverse

from core.admin import TenantAdmin
from core.errors import DomainError
from core.limits import reach
from orders.machines import Machine


class DocumentAdmin(TenantAdmin):
    """A document in a warehouse, whose buttons are the verbs that its state allows.

    An unfold action with `permissions=["<verb>"]` asks for `has_<verb>_permission`, which each verb of the machine has.
    """

    machine: ClassVar[Machine]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        for verb in cls.machine.by_verb:
            setattr(cls, f"has_{verb}_permission", _permission(verb))

    def may(self, request: Any, object_id: Any, verb: str) -> bool:
        """In this state, in this warehouse; without a document, in general."""
        transition = self.machine.by_verb[verb]
        may = bool(request.user.has_perm(transition.permission))
        if not may or object_id is None:
            return may
        row = self.machine.model._default_manager.filter(pk=object_id).first()
        where = reach(request.principal, transition.permission)
        is_legal = row is not None and self.machine.state_of(row) in transition.sources
        return is_legal and (where is None or row.warehouse_id in where)  # type: ignore[union-attr]  # it has one

    def page_of(self, request: Any, object_id: str, verb: str, page: Callable[[Any], HttpResponse]) -> HttpResponse:
        """Of a verb that asks for more. Raises PermissionDenied."""
        row = self.get_object(request, object_id)
        if row is None:
            missing: HttpResponse = self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
            return missing
        if not self.may(request, row.pk, verb):
            raise PermissionDenied
        return page(row)

    def do(self, request: Any, object_id: str, verb: str, act: Callable[..., Any]) -> HttpResponse:
        """At once, without a page of its own."""

        def done(row: Any) -> HttpResponse:
            try:
                with transaction.atomic():
                    changed = act(order=row)
            except DomainError as error:
                self.message_user(request, error.detail, messages.ERROR)
            else:
                name = f"{str(self.opts.verbose_name).capitalize()} {changed}"
                self.message_user(request, f"{name}: {changed.get_status_display().lower()}.", messages.SUCCESS)
            return HttpResponseRedirect(reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk]))

        return self.page_of(request, object_id, verb, done)


def partner(reference: str) -> Any:
    """A column of a list: who the customer or the supplier is, by name; the list selects the reference's party."""

    def shown(row: Any) -> str | None:
        one = getattr(row, reference)
        return None if one is None else str(one.party)

    shown.short_description = reference  # type: ignore[attr-defined]  # where Django looks for a heading
    shown.__name__ = reference
    return shown


def _permission(verb: str) -> Callable[..., bool]:
    def has_permission(self: DocumentAdmin, request: Any, object_id: Any = None) -> bool:
        return self.may(request, object_id, verb)

    return has_permission
