"""The organization's accounts at providers: their keys are sealed, and never shown again."""

from typing import Any

from core.errors import Invalid
from core.sealing import seal
from orders.models import PaymentAccount
from orders.services.payment_providers import purpose_of


def payment_account_write(*, account: PaymentAccount, secret_key: str = "", **values: Any) -> PaymentAccount:
    """A new row or one that is there. Without a key the one before stays."""
    for name, value in values.items():
        setattr(account, name, value)
    if secret_key:
        if not (secret_key.isascii() and secret_key.isprintable() and " " not in secret_key):
            detail = "Give the key as the provider shows it, without blanks."
            raise Invalid(detail, fields={"secret_key": detail})
        account.secret = seal(secret_key.encode(), purpose=purpose_of(account))
    account.save()
    return account
