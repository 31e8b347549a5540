"""A row by the name that it has elsewhere: PUT makes it or replaces it, whoever comes first."""

from typing import Any

from django.db import IntegrityError, models, transaction
from django.http import HttpResponse
from rest_framework.exceptions import ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from core.conditions import PreconditionFailed, parse_tags
from core.constraints import violated
from core.errors import Conflict, NotFound
from core.models import ArchivableModel
from core.permitting import demand, permission_of
from core.problems import BadHeader

REF = "external_ref"
ATTEMPTS = 3  # a twin that was first is found by the second; the third is for one that came and went


class ByRef:
    """The part of a viewset for resources whose model has an `external_ref`."""

    request: Any
    model: Any
    save: Any
    add: Any
    change: Any
    retrieve: Any
    get_queryset: Any
    require_version: Any
    refuse_outside: Any

    @classmethod
    def takes_refs(cls) -> bool:
        methods: list[str] = getattr(cls, "http_method_names", [])
        return hasattr(cls.model(), REF) and {"put", "post"} <= set(methods)

    def retrieve_by_ref(self, request: Request, external_ref: str, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = self.retrieve(request, pk=self._existing(external_ref).pk)
        return answer

    def update_by_ref(self, request: Request, external_ref: str, **kwargs: Any) -> Response:
        body = _agreeing(request.data, external_ref)
        for _ in range(ATTEMPTS):
            row = self._locked(external_ref)
            self._check_conditions(row)
            answer: Response | None = self._make(body) if row is None else self._change(row, body)
            if answer is not None:
                return answer
        raise Conflict("Somebody makes and removes this row at the same time: try again.", code="busy")

    def _existing(self, external_ref: str) -> models.Model:
        if "\0" in external_ref or (row := self.get_queryset().filter(external_ref=external_ref).first()) is None:
            raise NotFound("There is no row with this external_ref in this organization.")
        found: models.Model = row
        return found

    def _locked(self, external_ref: str) -> models.Model | None:
        """Raises Conflict for an archived row: somebody wanted it gone, so nobody brings it back without saying so."""
        if "\0" in external_ref:
            return None  # the serializer says why
        row: models.Model | None = self.get_queryset().select_for_update(no_key=True).filter(external_ref=external_ref).first()
        if isinstance(row, ArchivableModel) and row.archived_at is not None:
            raise Conflict(f"The row with this external_ref is archived: restore {row.pk} first.", code="archived")
        return row

    def _check_conditions(self, row: models.Model | None) -> None:
        meta = self.request.META
        if (none_match := meta.get("HTTP_IF_NONE_MATCH")) is not None:
            if none_match.strip() != "*":
                raise BadHeader("If-None-Match", "If-None-Match: a write takes * alone, for a row that must not be there yet.")
            if row is not None:
                raise PreconditionFailed("There is a row with this external_ref.", "exists")
        if "HTTP_IF_MATCH" in meta:
            parse_tags("If-Match", meta["HTTP_IF_MATCH"])
            if row is None:
                raise PreconditionFailed("There is no row with this external_ref.", "stale")
            self.require_version(row.pk)

    def _change(self, row: models.Model, body: dict[str, Any]) -> Response:
        self.refuse_outside(row.pk)
        answer: Response = self.change(row, body)
        return answer

    def _make(self, body: dict[str, Any]) -> Response | None:
        """None if somebody else has just made it."""
        demand(self.request, permission_of(self.model(), "add"))
        try:
            with transaction.atomic():
                answer: Response = self.add(body)
                return answer
        except IntegrityError as error:
            if (violation := violated(error)) is None or violation.fields != (REF,):
                raise
            return None


def _agreeing(body: Any, external_ref: str) -> Any:
    if not isinstance(body, dict):
        return body  # the serializer says what is wrong
    if body.get(REF, external_ref) != external_ref:
        raise ValidationError({REF: [ErrorDetail("The address names another one: leave it out here.", code="disagrees")]})
    if external_ref != external_ref.strip():
        raise ValidationError({REF: [ErrorDetail("It cannot begin or end with a blank.", code="invalid")]})
    return {**body, REF: external_ref}
