"""Other forms of values: plurals, adjectives of countries and of the weather, words for a sex, and parts of values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from atlas.catalog.model import Catalog
from atlas.language.offline.questions.lexicon import FILLERS, adjective
from atlas.language.offline.questions.phrases import PHRASES
from atlas.language.offline.questions.tokenizer import Token, root, stem, tokens

# Columns with more values are texts rather than kinds.
MAX_KINDS = 200
_LEAST_WORD = 4
_SEX = {
    **dict.fromkeys("female females woman women girl girls".split(), ("f", "female", "woman", "w")),
    **dict.fromkeys("male males man men boy boys".split(), ("m", "male", "man")),
}
_PEOPLE = {
    "afghan": "afghanistan", "american": "united states", "argentinian": "argentina", "argentine": "argentina",
    "australian": "australia", "austrian": "austria", "belgian": "belgium", "brazilian": "brazil",
    "british": "united kingdom", "bulgarian": "bulgaria", "canadian": "canada", "chilean": "chile",
    "chinese": "china", "colombian": "colombia", "croatian": "croatia", "cuban": "cuba", "czech": "czechia",
    "danish": "denmark", "dutch": "netherlands", "egyptian": "egypt", "english": "united kingdom",
    "estonian": "estonia", "finnish": "finland", "french": "france", "german": "germany", "greek": "greece",
    "hungarian": "hungary", "icelandic": "iceland", "indian": "india", "indonesian": "indonesia",
    "iranian": "iran", "iraqi": "iraq", "irish": "ireland", "israeli": "israel", "italian": "italy",
    "jamaican": "jamaica", "japanese": "japan", "kenyan": "kenya", "korean": "south korea", "latvian": "latvia",
    "lithuanian": "lithuania", "malaysian": "malaysia", "mexican": "mexico", "moroccan": "morocco",
    "nigerian": "nigeria", "norwegian": "norway", "pakistani": "pakistan", "peruvian": "peru",
    "philippine": "philippines", "polish": "poland", "portuguese": "portugal", "romanian": "romania",
    "russian": "russia", "scottish": "united kingdom", "serbian": "serbia", "singaporean": "singapore",
    "slovak": "slovakia", "slovenian": "slovenia", "spanish": "spain", "swedish": "sweden", "swiss": "switzerland",
    "taiwanese": "taiwan", "thai": "thailand", "turkish": "turkey", "ukrainian": "ukraine",
    "albanian": "albania", "algerian": "algeria", "angolan": "angola", "armenian": "armenia", "azerbaijani": "azerbaijan",
    "bangladeshi": "bangladesh", "belarusian": "belarus", "bolivian": "bolivia", "bosnian": "bosnia and herzegovina",
    "cambodian": "cambodia", "cameroonian": "cameroon", "congolese": "democratic republic of the congo",
    "costa rican": "costa rica", "cypriot": "cyprus", "dominican": "dominican republic", "ecuadorian": "ecuador",
    "ethiopian": "ethiopia", "georgian": "georgia", "ghanaian": "ghana", "guatemalan": "guatemala", "haitian": "haiti",
    "honduran": "honduras", "jordanian": "jordan", "kazakh": "kazakhstan", "kuwaiti": "kuwait", "lebanese": "lebanon",
    "liberian": "liberia", "libyan": "libya", "maltese": "malta", "malian": "mali", "moldovan": "moldova",
    "mongolian": "mongolia", "nepalese": "nepal", "nicaraguan": "nicaragua", "panamanian": "panama",
    "paraguayan": "paraguay", "qatari": "qatar", "rwandan": "rwanda", "salvadoran": "el salvador", "saudi": "saudi arabia",
    "senegalese": "senegal", "somali": "somalia", "sri lankan": "sri lanka", "sudanese": "sudan", "syrian": "syria",
    "tanzanian": "tanzania", "tunisian": "tunisia", "ugandan": "uganda", "uruguayan": "uruguay", "uzbek": "uzbekistan",
    "venezuelan": "venezuela", "yemeni": "yemen", "zambian": "zambia", "zimbabwean": "zimbabwe",
    "macedonian": "north macedonia", "montenegrin": "montenegro", "luxembourgish": "luxembourg",
    "vietnamese": "vietnam", "welsh": "united kingdom", "european": "europe", "asian": "asia", "african": "africa",
    "oceanian": "oceania", "californian": "california", "texan": "texas",
}  # fmt: skip


def land_of(word: str) -> str | None:
    """Returns the country or continent of an adjective such as `American`, or None."""
    return _PEOPLE.get(word) or (_PEOPLE.get(word[:-1]) if word.endswith("s") else None)


def _adjective_roots(word: str) -> set[str]:
    """Returns what an adjective is made of: `rainy` of rain, `foggy` of fog, `sunny` of sun."""
    found = {stem(word)}
    if len(word) > _LEAST_WORD and word.endswith("y"):
        bare = word[:-1]
        found |= {bare, bare[:-1] if bare[-1:] == bare[-2:-1] else bare}
    return found


class ValueForms:
    """An index of the values of columns with few values, by their stems and by their words."""

    def __init__(self, catalog: Catalog) -> None:
        self._stems: dict[tuple[str, ...], list[tuple[str, str, str]]] = {}
        self._words: dict[str, list[tuple[str, str, str]]] = {}
        for table in catalog.tables:
            for column in table.columns:
                if column.type == "text" and column.complete and len(column.values) <= MAX_KINDS:
                    for value in column.values:
                        self._add((table.name, column.name, value))

    def _add(self, place: tuple[str, str, str]) -> None:
        words = [token.lower for token in tokens(place[2]) if token.kind != "sign"]
        if not words or len(words) > 6:
            return
        self._stems.setdefault(tuple(stem(word) for word in words), []).append(place)
        if len(words) > 1:
            for word in words:
                self._words.setdefault(word, []).append(place)

    def find(self, phrase: Sequence[Token]) -> Iterable[tuple[str, str, str, float]]:
        """Yields (table, column, value, score) of the values that a phrase names in another form."""
        words = [token.lower for token in phrase]
        if any(word in FILLERS for word in words) and len(words) == 1:
            return
        for place in self._stems.get(tuple(stem(word) for word in words), ()):
            if len(place[2]) >= _LEAST_WORD - 1:
                yield *place, 0.9
        if len(words) > 1:
            return
        word = words[0]
        if (word,) in PHRASES or adjective(word) is not None:
            return
        land = land_of(word)
        if land is not None:
            for place in self._stems.get(tuple(stem(part) for part in land.split()), ()):
                yield *place, 0.9
        for sex in _SEX.get(word, ()):
            for place in self._stems.get((stem(sex),), ()):
                if any(part in place[1].lower() for part in ("sex", "gender")):
                    yield *place, 0.95
        for form in _adjective_roots(word) - {stem(word)}:
            for place in self._stems.get((form,), ()):
                yield *place, 0.85
        yield from self._parts(word)

    def _parts(self, word: str) -> Iterable[tuple[str, str, str, float]]:
        """Yields the only value of a column that has the word: `Leeds` of `Leeds United`."""
        if len(word) < _LEAST_WORD or word in FILLERS:
            return
        found = self._words.get(word, ())
        columns = [(table, column) for table, column, _ in found]
        for table, column, value in found:
            if columns.count((table, column)) == 1 and root(word) != root(column):
                yield table, column, value, 0.75
