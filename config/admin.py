"""The admin site: who sees which pages, for which organization."""

from typing import Any

from unfold.sites import UnfoldAdminSite


class QuartermasterSite(UnfoldAdminSite):  # type: ignore[misc]  # unfold has no types
    def shows_history(self, request: Any) -> bool:
        return bool(request.user.has_perm("accounts.view_auditentry"))
