from zoneinfo import ZoneInfo

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import Organization
from core.limits import OutsideWarehouses, reach
from core.permitting import SignedIn, demand
from core.within import holder
from inventory.api.analytics_fields import AbcAppliedSerializer, AbcApplySerializer
from inventory.queries.abc import Limits
from inventory.queries.analytics_sources import SEES_COSTS
from inventory.queries.spans import YEAR, Days
from inventory.services.abc import abc_classes_write

CHANGE = "inventory.change_productvariant"


class AbcApplyView(APIView):
    """Writes the ABC class of every variant, by what was issued from all warehouses. Counts choose by it."""

    permission_classes = (SignedIn,)

    @extend_schema(operation_id="analytics_abc_apply", request=AbcApplySerializer, responses=AbcAppliedSerializer)
    def post(self, request: Request) -> Response:
        for permission in (CHANGE, SEES_COSTS):
            demand(request, permission)
            if reach(holder(request), permission) is not None:
                raise OutsideWarehouses
        serializer = AbcApplySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        given = serializer.validated_data
        zone = ZoneInfo(Organization.objects.get().timezone)
        span = Days(given.get("from_day"), given.get("to_day")).span(zone, timezone.now(), usual=YEAR)
        return Response({"changed": abc_classes_write(span=span, limits=Limits(given["a"], given["b"]))})
