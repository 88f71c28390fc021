"""Hints about a column's values from its name."""

from __future__ import annotations

import re


def _words(*groups: str) -> re.Pattern[str]:
    return re.compile(rf"(^|_)({'|'.join(' '.join(groups).split())})s?(\d*)($|_)")


# Names of codes: numbers that nobody adds up, and that lose something as numbers.
CODES = _words(
    "zip zip_code zipcode postal postal_code postcode plz phone telephone tel mobile fax iban bic swift isbn ean "
    "upc gtin ssn vat vat_id tax_id account_number account_no card card_number barcode sku imei"
)
# Names of labels, where points and exponents separate parts of a label rather than digits.
LABELS = _words(
    "version release build revision rev code id uid uuid guid part part_no part_number serial model ref reference "
    "no nr number section chapter clause paragraph article sku key lot batch edition phone tel hash address ip "
    "house house_no hausnummer firmware"
)
_MONEY = (
    "amount price cost total subtotal sum revenue sale salary wage fee balance payment paid due tax net gross "
    "budget income expense profit turnover charge discount debit credit invoice spend money usd eur gbp chf "
    "betrag summe preis umsatz kosten gehalt gebühr steuer saldo montant prix coût importe precio costo monto "
    "total_amount"
)
MONEY = _words(_MONEY)
# Names of measured or counted values.
MEASURES = _words(
    _MONEY,
    "qty quantity count weight height width length depth size area volume value rate ratio share percent pct "
    "percentage score rating temp temperature temperatur pressure humidity distance duration speed lat lon lng "
    "long latitude longitude mean avg average median min max std deviation margin interest yield dose mass age "
    "hours minutes seconds power energy voltage current gewicht menge anzahl größe höhe breite länge wert taux "
    "poids quantité cantidad peso views visits clicks impressions followers likes bytes population",
)
DATES = _words(
    "date day dob birth birthday birthdate birth_date born dated [a-zäöüß]*datum tag geburtstag geboren fecha jour "
    "naissance nacimiento when time timestamp at on since until from to start end begin finish created updated "
    "modified changed due valid expiry expires expiration delivered shipped ordered joined hired left paid opened "
    "closed published registered deadline period_start period_end stichtag"
)
BIRTHS = _words(
    "dob birth birthday birthdate birth_date born date_of_birth geburt geburtstag geburtsdatum geboren naissance "
    "nacimiento died death deceased hired joined"
)
