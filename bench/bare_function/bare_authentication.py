from bare_people.models import Person
from django.core import signing
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed


class SignedAuthentication(BaseAuthentication):
    """A bearer token that holds the person's id, and one query for the person."""

    def authenticate(self, request):
        try:
            key = signing.loads(request.headers["Authorization"].removeprefix("Bearer "))
            return Person.objects.get(pk=key), None
        except (KeyError, signing.BadSignature, Person.DoesNotExist) as error:
            raise AuthenticationFailed from error
