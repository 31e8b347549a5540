"""The people of an organization, and one's own record."""

from collections.abc import Mapping
from typing import Any

from django.core.validators import RegexValidator
from django.db import models
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.auth import MeSerializer, MeView
from accounts.models import Membership, User
from accounts.models.tenancy import validate_timezone
from accounts.services import people
from core.api import TenantViewSet
from core.choosing import Conditions, search_condition
from core.errors import Forbidden
from core.reading import BASE
from core.serializers import TenantSerializer
from core.tenancy import active_organization_id
from core.within import holder

PROFILE = ["name", "age", "phone", "locale", "timezone"]

is_locale = RegexValidator(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", "Write it like en-US.")


class ProfileSerializer(TenantSerializer):
    locale = serializers.CharField(max_length=16, required=False, allow_blank=True, validators=[is_locale])
    timezone = serializers.CharField(max_length=64, required=False, allow_blank=True, validators=[validate_timezone])

    class Meta:
        model = User
        fields = PROFILE


class UserSerializer(ProfileSerializer):
    # Whether the address is free is decided where other organizations' people are not shown.
    email = serializers.EmailField(max_length=254)

    class Meta:
        model = User
        fields = ["id", "email", *PROFILE, "is_active", "created_at", "updated_at", "version"]
        read_only_fields = ["is_active"]


class NewUserSerializer(UserSerializer):
    roles = serializers.ListField(
        child=serializers.SlugField(max_length=40), required=False, write_only=True, max_length=50,
        help_text="Codes, like viewer.",
    )

    class Meta(UserSerializer.Meta):
        fields = [*UserSerializer.Meta.fields, "roles"]


MEMBER = f"""
    EXISTS (SELECT FROM accounts_membership AS m
            WHERE m.organization_id = %s AND m.user_id = {BASE}.id AND m.status = %s)
"""


class UserViewSet(TenantViewSet):
    """The active members. Who leaves keeps a suspended membership, and can be restored."""

    serializer_class = UserSerializer
    filters = ["email"]
    search_keys = ["email"]
    bulk_operations = ()
    no_bulk = "People are added, changed and let go one by one, because each may belong to other organizations."

    def row_conditions(self) -> Conditions:
        return [(MEMBER, [active_organization_id(), people.ACTIVE])]

    def _conditions(self, query: Mapping[str, str]) -> Conditions:
        """Names are found too, without a search key: no row security stands before this table, which lower() would not pass."""
        if "search" not in query:
            return super()._conditions(query)
        by_email, values = search_condition(self.search_keys, query["search"])
        others = super()._conditions({name: value for name, value in query.items() if name != "search"})
        return [*others, (f"({by_email} OR lower({BASE}.name) ^@ %s)", [*values, values[0]])]

    def get_queryset(self) -> models.QuerySet:
        return User.objects.filter(pk__in=Membership.objects.filter(status=people.ACTIVE).values("user_id"))

    def get_serializer_class(self) -> Any:
        return NewUserSerializer if self.action == "create" else UserSerializer

    def save(self, serializer: serializers.BaseSerializer) -> User:
        if serializer.instance is not None:
            return people.person_change(user=serializer.instance, **serializer.validated_data)
        return people.person_add(**serializer.validated_data, granter=holder(self.request))

    def destroy(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """They leave the organization."""
        people.person_leave(user=self.get_object())
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=UserSerializer)
    @action(detail=True, methods=["post"], permission="accounts.add_user")
    def restore(self, request: Request, pk: str) -> Response:
        """Back among the members, with the roles they had."""
        return Response(self.read_row(people.person_restore(user_id=self.key(pk)).pk))


class OwnRecordSerializer(MeSerializer):
    age = serializers.IntegerField(allow_null=True)
    phone = serializers.CharField()
    locale = serializers.CharField()
    timezone = serializers.CharField()


class OwnRecordView(MeView):
    """Who one is, in which organization, what one may do there, and one's own record."""

    @extend_schema(responses=OwnRecordSerializer)
    def get(self, request: Request) -> Response:
        response = super().get(request)
        key = response.data["id"]
        own = User.objects.filter(pk=key).values(*PROFILE).first() if key else None
        response.data.update(own or {"age": None, "phone": "", "locale": "", "timezone": ""})
        return response

    @extend_schema(request=ProfileSerializer, responses=OwnRecordSerializer)
    def patch(self, request: Request) -> Response:
        serializer = ProfileSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        people.profile_change(user=own_record_to_change(request), **serializer.validated_data)
        return self.get(request)


def own_record(request: Any) -> User:
    """Raises Forbidden for an API key, which is nobody."""
    key = request._request.principal.user.pk
    if key is None:
        raise Forbidden("An API key has no record of its own: sign in as a person.")
    return User.objects.get(pk=key)


def own_record_to_change(request: Any) -> User:
    """Raises Forbidden also where somebody else speaks for the person: other organizations see the record as well."""
    principal = request._request.principal
    if principal.by_provider:
        detail = "Your identity provider signed you in, so that this account is changed there."
        raise Forbidden(detail, code="signed_in_by_provider")
    if principal.acting:
        raise Forbidden("This is not open to you while you act for a member: end that first.", code="impersonating")
    return own_record(request)


routes = {"users": UserViewSet}
