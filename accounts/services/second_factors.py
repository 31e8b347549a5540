"""A person's second factors: one-time passwords, security keys, recovery codes. The tables are allauth's."""

from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth as totp
from allauth.mfa.utils import decrypt, encrypt
from django.conf import settings
from django.core import signing
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from accounts.models import User
from accounts.services.attempts import attempt_failed, attempts_forget, refuse_locked
from core.errors import Conflict, Invalid, NotFound
from core.tenancy import Origin

TOTP, WEBAUTHN, RECOVERY_CODES = "totp", "webauthn", "recovery_codes"
SETUP_SECONDS = 600
SALT = "accounts.second-factor-setup"


@dataclass(frozen=True, slots=True)
class Setup:
    """A one-time-password secret that does not count yet. `token` brings it back with the first code."""

    secret: str
    url: str
    svg: str
    token: str


def methods_of(user_id: UUID) -> list[str]:
    found = set(Authenticator.objects.filter(user_id=user_id).values_list("type", flat=True))
    if RECOVERY_CODES in found and not recovery_codes_left(user_id=user_id):
        found.remove(RECOVERY_CODES)
    return [name for name in (TOTP, WEBAUTHN, RECOVERY_CODES) if name in found]


def authenticators_of(user_id: UUID) -> list[Authenticator]:
    return list(Authenticator.objects.filter(user_id=user_id).order_by("pk"))


def recovery_codes_left(*, user_id: UUID) -> int:
    row = Authenticator.objects.filter(user_id=user_id, type=RECOVERY_CODES).first()
    return len(RecoveryCodes(row).get_unused_codes()) if row else 0


# --- Proving ----------------------------------------------------------------------------------------------


@transaction.atomic
def code_matches(*, user_id: UUID, code: str) -> bool:
    """A one-time password or a recovery code; each works once, whichever process it is shown to."""
    code = code.replace(" ", "").replace("-", "")
    rows = Authenticator.objects.select_for_update().filter(user_id=user_id, type__in=(TOTP, RECOVERY_CODES))
    for row in rows.order_by("pk"):
        matches = _totp_matches(row, code) if row.type == TOTP else RecoveryCodes(row).validate_code(code)
        if matches:
            Authenticator.objects.filter(pk=row.pk).update(last_used_at=timezone.now())
            return True
    return False


def _totp_matches(row: Authenticator, code: str) -> bool:
    counter = _counter(decrypt(row.data["secret"]), code)
    if counter is None or counter <= row.data.get("counter", 0):
        return False
    row.data["counter"] = counter
    row.save(update_fields=["data"])
    return True


def _counter(secret: str, code: str) -> int | None:
    """The period whose code it is. The library keeps used codes in a cache, which other processes do not see."""
    found: int | None = None
    for counter in totp.yield_hotp_counters_from_time():
        if totp.compare_user_code(actual=code, expected=totp.format_hotp_value(totp.hotp_value(secret, counter))):
            found = counter
    return found


def prove_again(*, user: User, origin: Origin, proved: bool, password: str = "", code: str = "") -> None:
    """Before second factors change: a fresh code, or the password in a session that a second factor opened.

    Somebody without a second factor gives the password. Raises Invalid and LockedOut; wrong ones count.
    """
    by_password = bool(password) and (proved or user.second_factor_at is None)
    if not code and not by_password:
        needed = "password" if user.second_factor_at is None else "proof_code"
        sentence = f"Give your {needed}: who changes second factors proves again who they are."
        raise Invalid(sentence, fields={needed: "Required."})
    refuse_locked(account=user.email, origin=origin)
    if not (code_matches(user_id=user.pk, code=code) if code else user.check_password(password)):
        attempt_failed(account=user.email, origin=origin)
        name = "code" if code else "password"
        raise Invalid(f"The {name} is wrong.", code="wrong_proof", fields={name: "Wrong."})
    attempts_forget(account=user.email, origin=origin)


# --- Enrolling --------------------------------------------------------------------------------------------


def totp_begin(*, user: User) -> Setup:
    if Authenticator.objects.filter(user_id=user.pk, type=TOTP).exists():
        raise Conflict("There is an authenticator app already: remove it first.", code="exists_already")
    secret = totp.generate_totp_secret()
    adapter = import_string(settings.MFA_ADAPTER)()
    url = adapter.build_totp_url(user, secret)
    return Setup(secret, url, adapter.build_totp_svg(url), signing.dumps([str(user.pk), encrypt(secret)], salt=SALT))


def setup_of(user: User, token: str) -> Setup:
    """Shows a secret again whose first code was wrong. Raises Invalid if the token is forged, too old or another's."""
    try:
        owner, sealed = signing.loads(token, salt=SALT, max_age=SETUP_SECONDS)
    except (signing.BadSignature, ValueError) as error:
        raise Invalid("The setup has expired: begin again.", code="setup_expired") from error
    if owner != str(user.pk):
        raise Invalid("The setup has expired: begin again.", code="setup_expired")
    secret = decrypt(sealed)
    adapter = import_string(settings.MFA_ADAPTER)()
    url = adapter.build_totp_url(user, secret)
    return Setup(secret, url, adapter.build_totp_svg(url), token)


@transaction.atomic
def totp_activate(*, user: User, token: str, code: str) -> None:
    """Raises Invalid if the code does not fit, Conflict if there is one already."""
    secret = setup_of(user, token).secret
    counter = _counter(secret, code.replace(" ", ""))
    if counter is None:
        raise Invalid("The code does not fit: is the clock of your device right?", code="wrong_code", fields={"code": "Wrong."})
    _lock(user)
    if Authenticator.objects.filter(user_id=user.pk, type=TOTP).exists():
        raise Conflict("There is an authenticator app already: remove it first.", code="exists_already")
    Authenticator.objects.create(user_id=user.pk, type=TOTP, data={"secret": encrypt(secret), "counter": counter})
    _added(user, "an authenticator app")


@transaction.atomic
def webauthn_add(*, user: User, name: str, credential: dict[str, Any]) -> None:
    """`credential` was checked by `accounts.services.webauthn`."""
    _lock(user)
    Authenticator.objects.create(user_id=user.pk, type=WEBAUTHN, data={"name": name, "credential": credential})
    _added(user, f"the security key {name!r}")


@transaction.atomic
def recovery_codes_generate(*, user: User) -> list[str]:
    """New codes, shown this once; the old ones are void. Raises Conflict without another second factor."""
    _lock(user)
    rows = Authenticator.objects.filter(user_id=user.pk)
    if not rows.exclude(type=RECOVERY_CODES).exists():
        raise Conflict("Recovery codes stand in for a second factor: enrol one first.", code="no_second_factor")
    rows.filter(type=RECOVERY_CODES).delete()
    codes: list[str] = RecoveryCodes.activate(user).generate_codes()
    _tell(user, "New recovery codes were made for your account; the old ones are void.")
    return codes


@transaction.atomic
def authenticator_remove(*, user: User, authenticator_id: int) -> None:
    """Recovery codes go with the last other one. Raises NotFound."""
    _lock(user)
    rows = Authenticator.objects.filter(user_id=user.pk)
    if not (removed := rows.filter(pk=authenticator_id).first()):
        raise NotFound("You have no such second factor.")
    removed.delete()
    if not rows.exclude(type=RECOVERY_CODES).exists():
        rows.delete()
        User.objects.filter(pk=user.pk).update(second_factor_at=None)
    _tell(user, f"A second factor was removed from your account: {removed.get_type_display()}.")


@transaction.atomic
def second_factors_reset(*, user: User, reason: str) -> None:
    """For somebody who lost them all."""
    _lock(user)
    Authenticator.objects.filter(user_id=user.pk).delete()
    User.objects.filter(pk=user.pk).update(second_factor_at=None)
    _tell(user, f"All second factors of your account were removed by an administrator: {reason}")


def _lock(user: User) -> None:
    """One change of a person's second factors at a time."""
    User.objects.select_for_update(no_key=True).only("pk").get(pk=user.pk)


def _added(user: User, what: str) -> None:
    User.objects.filter(pk=user.pk, second_factor_at=None).update(second_factor_at=timezone.now())
    _tell(user, f"A second factor was added to your account: {what}.")


def _tell(user: User, sentence: str) -> None:
    body = f"{sentence}\n\nIf that was not you, change your password and tell your administrator at once.\n"
    send = partial(send_mail, "Your second factors have changed", body, None, [user.email])
    transaction.on_commit(send, robust=True)
