"""Mail servers that organizations name: looked up once, checked, and connected to by the address that was checked."""

import smtplib
import socket
from functools import partial
from typing import Any

from django.core.mail.backends.smtp import EmailBackend

from core.egress import Refused, checked_addresses
from notifications.models.sending import policy, refuse_plain

LOOK_UP = 5.0  # seconds


class GuardedBackend(EmailBackend):
    """Refused is raised as an error of the connection, with its reason."""

    @property
    def connection_class(self) -> Any:
        return partial(_OverTLS if self.use_ssl else _Plain, is_encrypted=self.use_ssl or self.use_tls)


class _Guard:
    is_encrypted = True

    def __init__(self, *args: Any, is_encrypted: bool, **options: Any) -> None:
        self.is_encrypted = is_encrypted
        super().__init__(*args, **options)

    def reach(self, host: str, port: int, timeout: float) -> socket.socket:
        try:
            addresses = checked_addresses(host, port, policy(), plain=False, within=min(LOOK_UP, timeout))
            for address in [] if self.is_encrypted else addresses:
                refuse_plain(address)
        except Refused as refused:
            raise OSError(f"{refused}") from refused
        return socket.create_connection((addresses[0], port), timeout)


class _Plain(_Guard, smtplib.SMTP):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.reach(host, port, timeout)


class _OverTLS(_Guard, smtplib.SMTP_SSL):
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        return self.context.wrap_socket(self.reach(host, port, timeout), server_hostname=self._host)  # type: ignore[attr-defined]
