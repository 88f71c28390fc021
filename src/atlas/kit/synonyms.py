"""Column names that may mean the same: other spellings of a word, and words that are often used alike."""

from __future__ import annotations

# Spellings and abbreviations of the same thing.
SPELLINGS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "email e_mail mail email_address e_mail_address mail_address",
        "phone telephone tel phone_number telephone_number telephone_no phone_no",
        "mobile mobile_number mobile_phone cell cellphone cell_phone",
        "first_name firstname given_name forename fname",
        "last_name lastname surname family_name lname",
        "zip zip_code zipcode",
        "postal_code postcode postal",
        "quantity qty",
        "birthday birth_date date_of_birth dob birthdate",
        "website web_site",
        "latitude lat",
        "longitude lon lng long",
        "created_at created created_on creation_date date_created created_date date_added added_on",
        "updated_at updated modified modified_at last_modified updated_on last_updated",
        "organization organisation organization_name organisation_name",
        "order_id order_number order_no",
        "customer_id customer_number customer_no",
    )
)

# Words that people use for the same thing, or for related things: a cost is a price, but not the price that a buyer
# pays.
SYNONYMS: tuple[frozenset[str], ...] = tuple(
    frozenset(group.split())
    for group in (
        "email e_mail mail email_address e_mail_address mail_address contact_email correo courriel",
        "phone telephone tel phone_number telephone_number mobile mobile_number cell cellphone cell_phone handy "
        "telefon telefono",
        "name full_name fullname complete_name contact_name person display_name nombre nom",
        "first_name firstname given_name forename fname vorname prenom",
        "last_name lastname surname family_name lname nachname apellido",
        "company company_name organization organisation organization_name employer firm account account_name business "
        "firma empresa entreprise societe",
        "country country_name nation land pais pays",
        "state province region state_province federal_state bundesland",
        "city town municipality ort stadt ciudad ville",
        "zip zip_code zipcode postal_code postcode postal plz",
        "address street street_address address_line address_line_1 address_1 street_name strasse adresse direccion",
        "amount total total_amount sum value price_total betrag montant importe",
        "price unit_price cost rate preis prix precio",
        "quantity qty count units number_of_units pieces menge anzahl quantite cantidad",
        "birthday birth_date date_of_birth dob birthdate geburtsdatum",
        "gender sex geschlecht",
        "url website web_site homepage web link site",
        "description desc details text comment comments note notes remark remarks",
        "status state_of_record stage",
        "title job_title position role",
        "id identifier number no nr",
        "category type kind group class",
        "product product_name item item_name article",
        "customer customer_name client client_name buyer kunde cliente",
        "customer_id customer_number customer_no client_id",
        "start start_date from_date begin",
        "end end_date to_date finish",
        "currency currency_code",
        "language lang locale",
        "date datum fecha day",
    )
)
