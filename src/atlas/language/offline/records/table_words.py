"""Words for tables and columns that notes use in English, German, French and Spanish."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from atlas.kit.identifiers import singular
from atlas.tables.model import Table, TableColumn

# Words for one kind of record, which a table's name has in one of its forms.
_KINDS = tuple(
    frozenset(group.split())
    for group in (
        "contact contacts kontakt kontakte kontakten contacto contactos ansprechpartner",
        "customer customers kunde kunden kundin kundinnen client clients cliente clientes cliente",
        "person people persons personne personnes persona personas personen",
        "lead leads interessent interessenten prospect prospects",
        "company companies account accounts firma firmen unternehmen entreprise entreprises empresa empresas",
        "supplier suppliers vendor vendors lieferant lieferanten fournisseur fournisseurs proveedor proveedores",
        "employee employees staff mitarbeiter mitarbeiterin mitarbeiterinnen employé employés empleado empleados",
        "member members mitglied mitglieder membre membres miembro miembros",
        "product products produkt produkte produit produits producto productos",
        "item items artikel article articles artículo artículos",
        "order orders bestellung bestellungen auftrag aufträge commande commandes pedido pedidos",
        "invoice invoices rechnung rechnungen facture factures factura facturas",
        "task tasks aufgabe aufgaben tâche tâches tarea tareas",
        "deal deals opportunity opportunities",
        "user users benutzer nutzer utilisateur utilisateurs usuario usuarios",
        "price prices",
    )
)
# Words for one meaning of a column. The first are those that a column's name has.
_CONCEPTS: dict[str, tuple[str, str]] = {
    "email": (
        "email e_mail mail email_address e_mail_address mail_address contact_email",
        "e-mail-adresse|e-mail address|email address|mail address|adresse e-mail|adresse mail|adresse électronique|"
        "correo electrónico|mailadresse|emailadresse|courriel|correo|e-mail|email|mail",
    ),
    "phone": (
        "phone phone_number telephone tel mobile mobile_phone cell telephone_number",
        "phone number|telephone number|mobile number|numéro de téléphone|número de teléfono|telefonnummer|handynummer|"
        "mobilnummer|telephone|téléphone|teléfono|telefon|mobile|portable|móvil|phone|handy|cell|tel.|tel|number|nummer|"
        "numéro|número",
    ),
    "name": ("name full_name contact_name", "full name|nom complet|nombre completo|name|nom|nombre"),
    "city": ("city town location", "wohnort|city|town|stadt|ort|ville|ciudad"),
    "company": (
        "company company_name organization organisation employer account firm",
        "company name|unternehmen|organization|organisation|entreprise|compañía|employer|arbeitgeber|company|empresa|"
        "société|firma|firm",
    ),
    "country": ("country", "country|land|pays|país"),
    "position": (
        "position title job_title role job",
        "job title|berufsbezeichnung|position|funktion|puesto|cargo|poste|role|rolle|title|titel|job",
    ),
    "birthday": (
        "birthday birth_date date_of_birth dob born geburtsdatum",
        "date of birth|birth date|fecha de nacimiento|date de naissance|geburtsdatum|geburtstag|birthday|born on|born|"
        "geboren am|né le|née le|nacido el|nacida el",
    ),
    "price": ("price unit_price preis", "unit price|price|prices|preise|preis|prix|precios|precio"),
    "stock": ("stock quantity qty inventory", "quantity|bestand|menge|quantité|cantidad|stock|qty"),
    "status": ("status state stage", "status|statut|estado|stage"),
    "postcode": (
        "zip zipcode zip_code postcode postal_code plz",
        "postal code|zip code|postleitzahl|code postal|plz|zip",
    ),
}


@dataclass(frozen=True, slots=True)
class TableWords:
    """The words for one table: its kinds, and words of its columns with the columns' names.

    concepts: the only column of each meaning, such as the city.
    """

    table: Table
    kinds: frozenset[str]
    labels: tuple[tuple[str, str], ...]
    concepts: dict[str, str]

    def column(self, name: str) -> TableColumn:
        found = self.table.column(name)
        assert found is not None
        return found

    def label_at(self, text: str, place: int) -> Iterator[tuple[int, str]]:
        """Yields the columns whose words stand at a place: the end and the column, the longest words first."""
        for words, name in self.labels:
            end = place + len(words)
            if text[place:end].casefold() == words and not text[end : end + 1].isalnum():
                yield end, name


def words_of_tables(tables: Sequence[Table]) -> list[TableWords]:
    """Returns the words for each table. A word that means several columns of a table means none."""
    return [_words_of(table) for table in tables]


def _words_of(table: Table) -> TableWords:
    last = table.name.rsplit("_", 1)[-1]
    kinds = {table.name.replace("_", " "), singular(table.name).replace("_", " "), table.name}
    for group in _KINDS:
        if table.name in group or singular(table.name) in group or (last in group and last != table.name):
            kinds |= group if last == table.name else set()
    meant: dict[str, set[str]] = {}
    concepts: dict[str, set[str]] = {}
    for column in table.columns:
        own = {column.name, column.name.replace("_", " "), column.header.strip().casefold()}
        for word in own:
            if word:
                meant.setdefault(word, set()).add(column.name)
        for concept, (names, _) in _CONCEPTS.items():
            if column.name in names.split():
                concepts.setdefault(concept, set()).add(column.name)
    named = set(meant)
    for concept, columns in concepts.items():
        for word in _CONCEPTS[concept][1].split("|"):
            if word not in named:
                meant.setdefault(word, set()).update(columns)
    labels = [(word, next(iter(columns))) for word, columns in meant.items() if len(columns) == 1]
    labels.sort(key=lambda pair: -len(pair[0]))
    only = {concept: next(iter(columns)) for concept, columns in concepts.items() if len(columns) == 1}
    return TableWords(table, frozenset(kinds), tuple(labels), only)


def kind_pattern(words: Sequence[TableWords]) -> str:
    """Builds the pattern of the words for all tables."""
    kinds = sorted({kind for each in words for kind in each.kinds}, key=len, reverse=True)
    return rf"(?:{'|'.join(map(re.escape, kinds))})(?!\w)"
