"""Keys and secrets."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from atlas.accounts.api_keys import check_secret, generate_key, hash_key, hash_secret, lookup_prefix, same_hash
from atlas.timeseries.columns import from_catalog, physical_name, to_catalog
from atlas.timeseries.formats import flat_key, from_flat_key


def test_keys_have_the_documented_shape_and_differ() -> None:
    keys = {generate_key() for _ in range(100)}
    assert len(keys) == 100
    assert all(re.fullmatch(r"atlas_live_sk_[a-z0-9]{32}", key) for key in keys)
    key = keys.pop()
    assert key.startswith(lookup_prefix(key) or "?")
    assert len(lookup_prefix(key) or "") == 22
    assert same_hash(hash_key(key), hash_key(key))
    assert not same_hash(hash_key(key), hash_key(keys.pop()))
    assert lookup_prefix(key[:-1]) is None
    assert lookup_prefix("x" + key) is None


def test_secrets_are_salted() -> None:
    stored = hash_secret("open sesame")
    assert stored != hash_secret("open sesame")
    assert check_secret("open sesame", stored)
    assert not check_secret("open", stored)


@given(st.text(), st.lists(st.sampled_from(["values.", "timestamp", "x", "\0", "\x10", "0"]), max_size=6))
def test_names_are_told_apart(name: str, parts: list[str]) -> None:
    for key in (name, "".join(parts)):
        assert from_catalog(to_catalog(key)) == key
        assert "\0" not in to_catalog(key)
        assert from_flat_key(flat_key(key)) == key
        assert flat_key(key) != "timestamp"
        physical = physical_name(key, 9, {"c9"})
        assert 0 < len(physical.encode()) <= 63
        assert physical not in {"c9", "ts", "_seq", "_extra", "ctid"}
