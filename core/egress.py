"""Where our server may be sent by addresses that others name: to the open internet, never into a network of ours.

A name is looked up once, every address that it has is checked, and the connection goes to the checked address itself:
who answers differently the next time (DNS rebinding) is not asked a second time.
"""

import re
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any
from urllib.parse import urlsplit

type Address = IPv4Address | IPv6Address
type Network = IPv4Network | IPv6Network

# What `is_global` lets pass: the relay of 6to4, and the platform's own agent on Azure, which serves credentials.
CLOSED_V4 = [ip_network("192.88.99.0/24"), ip_network("168.63.129.16/32")]
# Unicast of the internet. What carries an IPv4 address inside (mapped, compatible, NAT64) lies outside of it, but for 6to4
# and Teredo; 3fff::/20 is for documentation.
OPEN_V6 = ip_network("2000::/3")
CLOSED_V6 = [ip_network("2002::/16"), ip_network("2001::/32"), ip_network("3fff::/20")]

HOST = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)*[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?", re.IGNORECASE)
NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)", re.IGNORECASE)  # a last label like this makes an IPv4 address of it: 127.1
WITHIN = ("localhost", "local", "internal", "lan", "home", "corp", "intranet", "arpa", "invalid", "onion")


class Refused(Exception):
    """The rules forbid it; the text says to a person what and why."""


class Late(TimeoutError):
    """As above."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`networks` are reached although they are private, at any port. `plain_on_loopback` lets http be used there."""

    networks: tuple[Network, ...] = ()
    ports: tuple[int, ...] = (443,)
    plain_on_loopback: bool = False

    @classmethod
    def of(cls, networks: Collection[str], ports: Collection[int], *, plain_on_loopback: bool = False) -> "Policy":
        return cls(tuple(ip_network(one) for one in networks), tuple(ports), plain_on_loopback)

    def allows(self, address: Address) -> bool:
        return any(address.version == network.version and address in network for network in self.networks)

    def refuse(self, address: Address, port: int, *, host: str, plain: bool) -> None:
        """Raises Refused unless it may be connected to; `plain` is without TLS.

        What a name within our network leads to is nobody's business: the text names the host that was given.
        """
        if plain and not (self.plain_on_loopback and address.is_loopback):
            raise Refused("https is demanded: without it anybody on the way reads along.")
        if self.allows(address):
            return
        if not is_public(address):
            raise Refused(f"{host} does not lead to an address of the open internet.")
        if port not in self.ports:
            raise Refused(f"Port {port} is not used here: use {', '.join(map(str, self.ports))}.")


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed address: whoever checks it and whoever connects read the same."""

    scheme: str
    host: str
    port: int
    path: str  # with the query

    @property
    def is_plain(self) -> bool:
        return self.scheme == "http"

    @property
    def literal(self) -> Address | None:
        try:
            return ip_address(self.host)
        except ValueError:
            return None


def is_public(address: Address) -> bool:
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in one for one in CLOSED_V4)
    return address in OPEN_V6 and address.is_global and not any(address in one for one in CLOSED_V6)


def parse(url: str) -> Target:
    """Raises Refused for what is no plain http(s) address, and for what programs read in different ways."""
    if not url.isascii() or not url.isprintable() or re.search(r"[\s\\]", url):
        raise Refused("Write the address in ASCII, without spaces and backslashes; a name in other letters as xn--….")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise Refused("This is no address.") from error
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Refused("Write it like https://example.com/hooks.")
    if "@" in parts.netloc:
        raise Refused("Leave name and password out of the address: the signature says who sends.")
    if parts.fragment or url.endswith("#"):
        raise Refused("Leave out what follows the #: it is never sent.")
    host = parts.hostname.rstrip(".")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    target = Target(parts.scheme, host, port or (443 if parts.scheme == "https" else 80), path)
    if not (target.literal if "[" in parts.netloc else HOST.fullmatch(host)):
        raise Refused(f"{host!r} is no name of a host.")
    return target


def refuse_address(url: str, policy: Policy) -> None:
    """What can be said of an address before anybody looks up its name. Raises Refused."""
    target = parse(url)
    literal = target.literal
    if literal:
        policy.refuse(literal, target.port, host=target.host, plain=target.is_plain)
        return
    last = target.host.rpartition(".")[2].lower()
    if NUMBER.fullmatch(last):
        raise Refused(f"{target.host} is a number in disguise: write a name.")
    if target.is_plain and not (policy.plain_on_loopback and last == "localhost"):
        raise Refused("https is demanded: without it anybody on the way reads along.")
    if policy.networks:
        return  # names and ports of a network of one's own: the connection decides
    if "." not in target.host or last in WITHIN:
        raise Refused(f"{target.host} is a name within a network: name a host of the open internet.")
    if target.port not in policy.ports:
        raise Refused(f"Port {target.port} is not used here: use {', '.join(map(str, policy.ports))}.")


def checked_addresses(host: str, port: int, policy: Policy, *, plain: bool, within: float) -> list[str]:
    """All the addresses of a host, if each of them may be connected to. Raises Refused, OSError and Late."""
    found = list(dict.fromkeys(str(info[4][0]) for info in _looked_up(host, port, within)))
    if not found:
        raise OSError(f"{host} has no address.")
    for text in found:
        policy.refuse(ip_address(text), port, host=host, plain=plain)
    return found


def _looked_up(host: str, port: int, within: float) -> Sequence[Any]:
    """getaddrinfo knows no time-out: a thread of its own may wait for a dead name server as long as it likes."""
    answer: SimpleQueue[Callable[[], Sequence[Any]]] = SimpleQueue()

    def look_up() -> None:
        try:
            infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.put(lambda: infos)
        except (OSError, UnicodeError) as error:
            failure = OSError(f"The name {host} is not known: {error}")
            answer.put(lambda: _raise(failure))

    Thread(target=look_up, daemon=True).start()
    try:
        return answer.get(timeout=within)()
    except Empty:
        raise Late(f"The name {host} was not found in time.") from None


def _raise(error: Exception) -> Any:
    raise error
