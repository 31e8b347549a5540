"""Where our server may be sent: by what an address says, and by where it leads at the moment of connecting."""

import socket
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any

import pytest

from core.egress import Policy, Refused, is_public, parse, refuse_address
from core.outbound import Failed, Outbound
from tests.notifications.receiver import Receiver, receiver

CLOSED = [
    "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.255.254", "168.63.129.16", "169.254.169.254",
    "172.16.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::8.8.8.8", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "::ffff:0:7f00:1", "64:ff9b::7f00:1",
    "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::", "3fff::1",
    "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
]  # fmt: skip
OPEN = ["1.1.1.1", "8.8.8.8", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00:1450:4001::200e"]

LOOPBACK = Policy.of(["127.0.0.0/8", "::1/128"], [443], plain_on_loopback=True)


@pytest.fixture
def listener() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Answers of a resolver, each look-up taking the next; returns the names that were looked up."""
    asked: list[str] = []

    def answer(*answers: list[str]) -> list[str]:
        left = list(answers)

        def look_up(host: str, port: int, *args: Any, **options: Any) -> list[Any]:
            asked.append(host)
            found = left.pop(0) if len(left) > 1 else left[0]
            return [(socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

        monkeypatch.setattr("socket.getaddrinfo", look_up)
        return asked

    return answer


def post(url: str, policy: Policy = LOOPBACK, **options: Any) -> Any:
    return Outbound(lambda: policy).post(url, **{"content": b"{}", "headers": {}, "within": 5, "at_most": 100, **options})


@pytest.mark.parametrize("address", CLOSED)
def test_an_address_within_networks_is_refused(address: str) -> None:
    assert not is_public(ip_address(address))
    with pytest.raises(Refused):
        refuse_address(f"https://[{address}]/" if ":" in address else f"https://{address}/", Policy())


@pytest.mark.parametrize("address", OPEN)
def test_an_address_of_the_internet_is_taken(address: str) -> None:
    assert is_public(ip_address(address))
    refuse_address(f"https://[{address}]/" if ":" in address else f"https://{address}/", Policy())


@pytest.mark.parametrize("url", [
    "", "example.com", "//example.com/", "ftp://example.com/", "file:///etc/passwd", "http://example.com/", "https://",
    "https:///x", "https://user@example.com/", "https://user:secret@example.com/", "https://@example.com/",
    "https://example.com/#x", "https://example.com/#", "https://example.com:99999/", "https://example.com:x/",
    "https://example.com:22/", "https://exa mple.com/", "https://example.com/a b", "https://example.com\\@10.0.0.1/",
    "https://example.com/\n", "https://ex\u00e4mple.com/", "https://\uff11\uff12\uff17.0.0.1/", "https://127.1/", "https://0x7f.1/",
    "https://2130706433/", "https://0x7f000001/", "https://0177.0.0.1/", "https://localhost/", "https://LOCALHOST./",
    "https://api.localhost/", "https://printer.local/", "https://metadata.google.internal/", "https://intranet/",
    "https://example..com/", "https://-a.example.com/", "https://%31%32%37.0.0.1/", "https://[::1/", "https://[v1.x]/",
])  # fmt: skip
def test_an_address_that_hides_something_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        refuse_address(url, Policy())


@pytest.mark.parametrize("url", [
    "https://example.com", "https://example.com/hooks?a=1&b=2", "https://example.com:443/", "https://EXAMPLE.com./x",
    "https://xn--exmple-cua.com/", "https://a_b.example.com/%7Ex",
])  # fmt: skip
def test_a_plain_address_is_taken(url: str) -> None:
    refuse_address(url, Policy())


def test_http_is_for_loopback_where_it_is_allowed_at_all() -> None:
    refuse_address("http://127.0.0.1:9000/", LOOPBACK)
    refuse_address("http://localhost:9000/", LOOPBACK)
    for url in ("http://10.0.0.1/", "http://example.com/"):
        with pytest.raises(Refused, match="https"):
            refuse_address(url, Policy.of(["10.0.0.0/8", "127.0.0.0/8"], [80, 443], plain_on_loopback=True))


def test_who_checks_and_who_connects_read_the_same() -> None:
    target = parse("https://Example.com:8443/a/b?c=d")
    assert (target.host, target.port, target.path) == ("example.com", 8443, "/a/b?c=d")


def test_posts_to_the_address_that_was_checked(listener: Receiver, names: Any) -> None:
    """The name leads to a receiver first and to another host ever after: it is looked up once."""
    asked = names(["127.0.0.1"], ["10.0.0.1"])
    listener.reply(200, body=b"thanks")
    answer = post(f"http://receiver.example.test:{listener.port}/hooks")
    assert (answer.status, answer.body, asked) == (200, b"thanks", ["receiver.example.test"])
    assert listener.received[0].headers["host"] == f"receiver.example.test:{listener.port}"


def test_one_closed_address_among_open_ones_is_enough(listener: Receiver, names: Any) -> None:
    names(["127.0.0.1", "10.0.0.1"], ["127.0.0.1"])
    url = f"http://receiver.example.test:{listener.port}/hooks"
    with pytest.raises(Refused):
        post(url)
    assert not listener.received and post(url).status == 204


@pytest.mark.parametrize("address", ["127.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1"])
def test_a_harmless_name_that_leads_within_is_refused(address: str, listener: Receiver, names: Any) -> None:
    names([address])
    refuse_address(f"https://receiver.example.test:{443}/", Policy())
    with pytest.raises(Refused) as refused:
        post(f"https://receiver.example.test:{listener.port}/", Policy.of([], [listener.port]))
    assert address not in str(refused.value)  # where names lead within our network is nobody's business
    assert not listener.connections


def test_a_name_that_turns_is_refused_once_its_connection_is_gone(listener: Receiver, names: Any) -> None:
    names(["127.0.0.1"], ["10.0.0.1"])
    sender = Outbound(lambda: LOOPBACK)
    url = f"http://receiver.example.test:{listener.port}/hooks"
    options: Any = {"content": b"{}", "headers": {}, "within": 5, "at_most": 100}
    assert sender.post(url, **options).status == 204
    listener.reply(200, headers={"connection": "close"})
    assert sender.post(url, **options).status == 200 and listener.connections == 1
    with pytest.raises(Refused):
        sender.post(url, **options)


def test_another_address_serves_where_one_does_not(listener: Receiver, names: Any) -> None:
    names(["127.0.0.2", "127.0.0.1"])  # the receiver listens at the second alone
    assert post(f"http://receiver.example.test:{listener.port}/hooks").status == 204


def test_networks_of_ones_own_are_reached_by_tls_alone(listener: Receiver, names: Any) -> None:
    names(["127.0.0.1"])
    with pytest.raises(Refused, match="https"):
        post(f"http://receiver.example.test:{listener.port}/", Policy.of(["127.0.0.0/8"], [443]))
    assert not listener.received


def test_an_unknown_name_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("socket.getaddrinfo", unknown)
    with pytest.raises(Failed, match="not known"):
        post("https://receiver.example.test/")


def test_a_dead_name_server_does_not_hold_us(monkeypatch: pytest.MonkeyPatch, listener: Receiver) -> None:
    monkeypatch.setattr("socket.getaddrinfo", lambda *args, **options: listener.released.wait() and [])
    with pytest.raises(Failed, match="not found in time"):
        post("https://receiver.example.test/", within=0.5)


def test_nothing_comes_from_the_environment(listener: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert post(listener.url).status == 204


def test_follows_no_redirect_and_keeps_no_cookie(listener: Receiver) -> None:
    sender = Outbound(lambda: LOOPBACK)
    options: Any = {"content": b"{}", "headers": {}, "within": 5, "at_most": 100}
    listener.reply(302, headers={"location": f"{listener.url}/other", "set-cookie": "a=b"})
    assert sender.post(listener.url, **options).status == 302
    assert sender.post(listener.url, **options).status == 204
    assert [request.path for request in listener.received] == ["/hooks", "/hooks"]
    assert "cookie" not in listener.received[1].headers


def test_connections_are_used_again(listener: Receiver) -> None:
    sender = Outbound(lambda: LOOPBACK)
    for _ in range(3):
        sender.post(listener.url, content=b"{}", headers={}, within=5, at_most=100)
    assert (len(listener.received), listener.connections) == (3, 1)


def test_an_answer_is_read_up_to_its_bound_and_no_further(listener: Receiver) -> None:
    sender = Outbound(lambda: LOOPBACK)
    options: Any = {"content": b"{}", "headers": {}, "within": 5, "at_most": 1000}
    listener.reply(200, body=b"x" * 5_000_000)
    assert sender.post(listener.url, **options).body == b"x" * 1000
    assert sender.post(listener.url, **options).status == 204
    assert listener.connections == 2  # the first one was closed over its rest


def test_a_compressed_answer_is_not_unpacked(listener: Receiver) -> None:
    listener.reply(200, headers={"content-encoding": "gzip"}, body=b"\x1f\x8bnot really")
    assert post(listener.url).body == b"\x1f\x8bnot really"


@pytest.mark.parametrize("how", ["hangs", "drips"])
def test_the_whole_answer_has_a_time(how: str, listener: Receiver) -> None:
    """One that sends a byte now and then never meets the time-out of a socket."""
    listener.reply(200, **{how: True})
    with pytest.raises(Failed, match="No answer within"):
        post(listener.url, within=0.4)


def test_a_dropped_connection_is_a_failure(listener: Receiver) -> None:
    listener.reply(200, drops=True)
    with pytest.raises(Failed):
        post(listener.url)


def test_a_closed_port_is_a_failure() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Failed, match="refused"):
        post(f"http://127.0.0.1:{port}/")
