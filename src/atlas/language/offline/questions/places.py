"""Countries and states of the United States by any of their names and codes."""

from __future__ import annotations

from functools import lru_cache

import pycountry
import us

_COMMON = {
    "uk": "GB", "great britain": "GB", "britain": "GB", "england": "GB", "america": "US",
    "united states of america": "US", "u.s.": "US", "u.s": "US", "u.s.a.": "US", "u.s.a": "US", "the us": "US",
    "russia": "RU", "south korea": "KR", "korea": "KR", "north korea": "KP", "czech republic": "CZ", "holland": "NL",
    "uae": "AE", "iran": "IR", "syria": "SY", "vietnam": "VN", "laos": "LA", "bolivia": "BO", "venezuela": "VE",
    "tanzania": "TZ", "taiwan": "TW", "turkey": "TR", "ivory coast": "CI", "swaziland": "SZ", "macedonia": "MK",
}  # fmt: skip


@lru_cache(maxsize=1)
def _names() -> dict[str, frozenset[str]]:
    """Every name and code in lower case, and the places that it may mean: `us:CA`, `country:CA`."""
    found: dict[str, set[str]] = {}
    for state in us.states.STATES_AND_TERRITORIES + [us.states.DC]:
        for name in (state.name, state.abbr):
            found.setdefault(str(name).lower(), set()).add(f"us:{state.abbr}")
    for country in pycountry.countries:
        names = {country.name, country.alpha_2, country.alpha_3}
        names |= {getattr(country, extra) for extra in ("common_name", "official_name") if hasattr(country, extra)}
        for name in names:
            found.setdefault(name.lower(), set()).add(f"country:{country.alpha_2}")
    for name, code in _COMMON.items():
        found.setdefault(name, set()).add(f"country:{code}")
    return {name: frozenset(ids) for name, ids in found.items()}


def places(text: str) -> frozenset[str]:
    """The places that a name or code may mean; none for any other text."""
    folded = text.strip().lower()
    return _names().get(folded, frozenset()) or _names().get(folded.removeprefix("the "), frozenset())


# Codes that people write in small letters; any other must be in capitals to be a code.
_SPOKEN = frozenset("usa uk uae".split())


def is_code(text: str) -> bool:
    """Whether a text that names a place is one of its codes, and none that is also said."""
    return len(text) <= 3 and text.lower() not in _SPOKEN
