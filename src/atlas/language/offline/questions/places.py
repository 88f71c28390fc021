"""Countries, and states of the United States, by all their names and codes."""

from __future__ import annotations

from functools import lru_cache

import pycountry

_COMMON = {
    "uk": "GB",
    "great britain": "GB",
    "britain": "GB",
    "england": "GB",
    "america": "US",
    "united states of america": "US",
    "u.s.": "US",
    "u.s": "US",
    "u.s.a.": "US",
    "u.s.a": "US",
    "the us": "US",
    "russia": "RU",
    "south korea": "KR",
    "korea": "KR",
    "north korea": "KP",
    "czech republic": "CZ",
    "holland": "NL",
    "uae": "AE",
    "iran": "IR",
    "syria": "SY",
    "vietnam": "VN",
    "laos": "LA",
    "bolivia": "BO",
    "venezuela": "VE",
    "tanzania": "TZ",
    "taiwan": "TW",
    "turkey": "TR",
    "ivory coast": "CI",
    "swaziland": "SZ",
    "macedonia": "MK",
}


def write_place(place: str, size: int) -> str:
    """Writes a place in about `size` characters: as the code of that length, or as the name."""
    kind, code = place.split(":")
    if kind == "us":
        state = pycountry.subdivisions.get(code=f"US-{code}")  # type: ignore[no-untyped-call]
        return code if size == 2 or state is None else str(state.name)
    country = pycountry.countries.get(alpha_2=code)
    if country is None or size == 2:
        return code
    return str(country.alpha_3 if size == 3 else country.name)


@lru_cache(maxsize=1)
def _names() -> dict[str, frozenset[str]]:
    """Maps every name and code in lower case to the possible places, such as `us:CA` or `country:CA`."""
    found: dict[str, set[str]] = {}
    for state in pycountry.subdivisions.get(country_code="US") or ():  # type: ignore[no-untyped-call]
        code = state.code.removeprefix("US-")
        for name in (state.name, code):
            found.setdefault(name.lower(), set()).add(f"us:{code}")
    for country in pycountry.countries:
        names = {country.name, country.alpha_2, country.alpha_3}
        names |= {getattr(country, extra) for extra in ("common_name", "official_name") if hasattr(country, extra)}
        for name in names:
            found.setdefault(name.lower(), set()).add(f"country:{country.alpha_2}")
    for name, code in _COMMON.items():
        found.setdefault(name, set()).add(f"country:{code}")
    return {name: frozenset(ids) for name, ids in found.items()}


def places(text: str) -> frozenset[str]:
    """Returns the places that a name or code may mean. Other texts give an empty set."""
    folded = text.strip().lower()
    return _names().get(folded, frozenset()) or _names().get(folded.removeprefix("the "), frozenset())


# Codes that people write in lower case. Any other code must be in capitals.
_SPOKEN = frozenset("usa uk uae".split())


def is_code(text: str) -> bool:
    """Checks whether the name of a place is a code that is not a spoken name as well."""
    return len(text) <= 3 and text.lower() not in _SPOKEN
