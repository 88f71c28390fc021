"""Units of measurement as headers and files write them."""

from __future__ import annotations

import re

# Units that may follow a name in brackets without changing the name, in lower case.
UNITS = frozenset(
    """mm cm m km in inch ft yd mi mile miles nm mg g gr kg t oz lb lbs ml cl l dl gal ms s sec secs second seconds min
    mins minutes minute h hr hrs hour hours d day days week weeks month months year years yr yrs % percent pct $ € £ ¥
    usd eur gbp chf jpy cad aud inr cny sek nok dkk pln brl zar °c °f c f k kwh wh mwh w kw mw v a hz mhz ghz pa hpa bar
    psi km/h mph kmh m/s knots kn kb mb gb tb b bytes m2 m² m3 m³ sqm sqft ha acre pcs pieces units stk""".split()
)
# Other units, which count in brackets only.
_MORE = frozenset(
    """mol mmol µmol nn j kj mj gj cal kcal ppm ppb ppt db dba rpm deg rad sr lux lx lm cd µm um µg ug ng pg µl ul hl µs
    us ns ma mv kv µv µa ohm kω mω kpa mpa mbar bars tonne tonnes ton tons gw gwh twh dm dm3 cm2 cm3 km2 mm2 mm3 ft2 ft3
    in2 gib mib kib bit bits bps kbps mbps gbps khz µsv msv sv bq gy °k degc degf celsius fahrenheit kelvin meter meters
    metre metres liter liters litre litres gram grams kilogram kilograms volt volts amp amps ampere watt watts hertz
    pascal joule joules newton counts persons people co2e kgco2e tco2e""".split()
)
# Single letters that are units, with the case of the unit.
_LETTERS = frozenset("mgshdlLtVAWCFKNJΩ%$€£¥")
_LONGEST = 24
_EXPONENT = re.compile(r"(?<=[^\W\d])(?:\^?[-+]?\d|[⁻⁺]?[²³¹⁴])$")


def is_unit(text: str) -> bool:
    """Tells whether a text is a unit, or several by each other: `km/h`, `kg·m²`, `µg/m3`, `m s-1`."""
    if len(text) > _LONGEST:
        return False
    # The micro sign and the letter look alike.
    parts = [part for part in re.split(r"[/·⋅*]| per |\s", text.replace("μ", "µ")) if part]
    return bool(parts) and any(map(_is_part, parts)) and all(_is_part(part) or part == "1" for part in parts)


def _is_part(text: str) -> bool:
    plain = _EXPONENT.sub("", text)
    if len(plain) == 1:
        return plain in _LETTERS
    return any(each.lower() in known for each in (text, plain) for known in (UNITS, _MORE))
