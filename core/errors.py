"""What a service may refuse, in the words of the business; `core.problems` turns each into an HTTP answer."""

from collections.abc import Mapping
from types import MappingProxyType


class DomainError(Exception):
    """Base of what the caller did wrong. `detail` is a sentence for a person, `code` is stable for programs."""

    code = "refused"
    members: Mapping[str, object] = MappingProxyType({})  # what a program needs besides: further members of the problem

    def __init__(self, detail: str, *, code: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code


class Invalid(DomainError):
    """The input is wrong. `fields` maps a field's name to what is wrong with it."""

    code = "invalid"

    def __init__(self, detail: str, *, code: str = "", fields: Mapping[str, str] | None = None) -> None:
        super().__init__(detail, code=code)
        self.fields = dict(fields or {})


class Conflict(DomainError):
    """The request is well formed, but the row is in no state to honor it."""

    code = "conflict"


class Forbidden(DomainError):
    """The caller lacks a permission, which the detail names."""

    code = "permission_denied"


class NotAuthenticated(DomainError):
    """Nobody is who they say they are here."""

    code = "not_authenticated"


class TooMany(DomainError):
    """Too often; after `wait` seconds it may be tried again."""

    code = "too_many"

    def __init__(self, detail: str, *, wait: int, code: str = "") -> None:
        super().__init__(detail, code=code)
        self.wait = wait


class NotFound(DomainError):
    """No such row in this organization."""

    code = "not_found"


class TooLarge(DomainError):
    """More bytes than are taken."""

    code = "too_large"
