import pytest

from core.redaction import HIDDEN, redacted

SECRETS = [
    ("Authorization: Bearer abcdef123456", "abcdef123456"),
    ("authorization: Basic dXNlcjpwYXNz\nok", "dXNlcjpwYXNz"),
    ('{"access_token": "abc.def.ghi", "ok": true}', "abc.def.ghi"),
    ('{"password":"hunter2 and more"}', "hunter2 and more"),
    ("client_secret=s3cr3t&x=1", "s3cr3t"),
    ("Set-Cookie: session=abcdef; Path=/", "abcdef"),
    ("the key is whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
    ("used qm_0123456789.abcdefghijkl", "abcdefghijkl"),
    ("jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig_nature", "sig_nature"),
    ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPLE"),
    ("sk_live_0123456789abcdefgh", "0123456789abcdefgh"),
    ("postgres://quartermaster:pa55@db/x", "pa55"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIB\n-----END RSA PRIVATE KEY-----", "MIIB"),
]


@pytest.mark.parametrize("text, secret", SECRETS)
def test_what_looks_like_a_secret_is_taken_out(text: str, secret: str) -> None:
    shown = redacted(text.encode(), at_most=1000)
    assert secret not in shown and HIDDEN in shown


def test_a_known_secret_is_taken_out_wherever_it_stands() -> None:
    assert redacted(b"xxplainyy", ["plain"], at_most=100) == f"xx{HIDDEN}yy"


def test_the_rest_stays() -> None:
    text = '{"error": "The order 4711 is unknown.", "status": 422, "tokens": {"left": 3}}'
    assert "The order 4711 is unknown." in redacted(text.encode(), at_most=1000)
    assert redacted(b"\xff\x00ok", at_most=10) == "\ufffdok"
    assert redacted(b"x" * 5000, at_most=1000) == "x" * 1000
