"""Django's PostgreSQL, with passwords that are found when a connection is made: in Secrets Manager, or made of the role in IAM.

DATABASES says which by SECRET (a place, see core.vault) or TOKEN_REGION.
"""

from typing import Any

import psycopg
from django.db.backends.postgresql import base

from core.aws import Unavailable, database_token
from core.vault import secret


class DatabaseWrapper(base.DatabaseWrapper):
    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "password": self._password()}

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A password that was changed meanwhile is asked for once more."""
        try:
            return super().get_new_connection(conn_params)
        except psycopg.OperationalError:
            used = conn_params.get("password")
            if not self.settings_dict.get("SECRET") or (password := self._password(other_than=used)) == used:
                raise
            return super().get_new_connection({**conn_params, "password": password})

    def _password(self, other_than: Any = None) -> str:
        database = self.settings_dict
        try:
            if region := database.get("TOKEN_REGION"):
                return database_token(
                    host=database["HOST"], port=str(database["PORT"] or 5432), user=database["USER"], region=region,
                )
            found = secret(
                database["SECRET"], "password", endpoint_url=database.get("SECRETS_ENDPOINT_URL", ""), other_than=other_than,
            )
        except Unavailable as error:
            raise psycopg.OperationalError(str(error)) from error
        return str(found)
