from typing import Any

import pytest

from core.sealing import BrokenSeal, seal, unseal

PLAIN = b"swordfish"


def test_opens_with_what_it_was_sealed_with() -> None:
    sealed = seal(PLAIN, purpose="fish", passphrase="open")
    assert PLAIN not in sealed and sealed != seal(PLAIN, purpose="fish", passphrase="open")
    assert unseal(sealed, purpose="fish", passphrase="open") == PLAIN


@pytest.mark.parametrize("wrong", [{"purpose": "fowl"}, {"passphrase": "close"}, {"passphrase": ""}])
def test_opens_with_nothing_else(wrong: dict[str, str]) -> None:
    sealed = seal(PLAIN, purpose="fish", passphrase="open")
    with pytest.raises(BrokenSeal):
        unseal(sealed, **{"purpose": "fish", "passphrase": "open", **wrong})


def test_a_flipped_bit_is_seen() -> None:
    sealed = bytearray(seal(PLAIN, purpose="fish"))
    sealed[-1] ^= 1
    with pytest.raises(BrokenSeal):
        unseal(bytes(sealed), purpose="fish")


def test_another_installations_key_opens_it_only_as_a_fallback(settings: Any) -> None:
    sealed, before = seal(PLAIN, purpose="fish"), settings.SECRET_KEY
    settings.SECRET_KEY = "another"
    with pytest.raises(BrokenSeal):
        unseal(sealed, purpose="fish")
    settings.SECRET_KEY_FALLBACKS = [before]
    assert unseal(sealed, purpose="fish") == PLAIN
