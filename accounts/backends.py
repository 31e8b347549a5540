from typing import Any

from django.contrib.auth.backends import ModelBackend


class PasswordBackend(ModelBackend):
    """Refuses whoever has not verified the address: otherwise a sign-up would tell which addresses are in use."""

    def user_can_authenticate(self, user: Any) -> bool:
        return bool(super().user_can_authenticate(user) and (user is None or user.email_verified_at))
