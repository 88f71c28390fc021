"""The meanings of English words in questions about data."""

from __future__ import annotations

from atlas.language.offline.questions.tokenizer import stem

# Words without a meaning for a query.
FILLERS = frozenset(
    "a an the please kindly can could would you i we us me my our your their his her its it he she they them this that "
    "these those there here do does did is are was were be been being am to into of on at for with as also s t "
    "tell want need like know see let lets get got give gives show showing display list lists listing find fetch "
    "return retrieve provide present report compute calculate determine identify select print output name "
    "what what's whats which who whom whose where when how many much all any some each every both either then so "
    "and or by per in from data database dataset table tables record records row rows entry entries value values "
    "information info details following respectively only just have has had having "
    "currently overall exactly about around approximately given specific particular different various "
    "available existing exist exists present respective corresponding associated relevant total number count amount "
    "between across among within out up one ones go than if not no "
    "result results order sort answer format integer column columns field fields called named "
    "through along towards toward upon onto via "
    "instead please too also same about those only "
    "terms square sq kilometer kilometers kilometre kilometres km meter meters metre metres miles mile feet ft usd "
    "dollars euros pounds kg kilograms cm "
    "will shall may might should must out again now today still ever yet against m re ve ll looking interested".split()
)

# Verbs that link an entity with the next words, without a meaning of their own for a query.
LINKING = frozenset(
    stem(word)
    for word in (
        "belong belongs receive received offer offered locate located situated post posted make made made take taken "
        "occur occurred happen happened appear contain contains include included includes come came belong "
        "flow run runs running live lives living stay reside use used using serve served serving hold held "
        "receive got associate associated related relate involve involving register registered publish published "
        "place placed present presented work works working offer offers provide provided operate operated be lie "
        "attend attended write written wrote produce produced found earned earn achieve achieved "
        "categorized classified labeled labelled marked listed recorded stored submitted submit perform performed "
        "conduct conducted own owned have gain perform teach taught manage managed handle handled "
        "vary varies differ change changes compare compared break broken down split group grouped show arrive "
        "depart originate fly leave travel pass cross go gotten require required "
        "went came gone took play plays played sing perform happen happens reported report recorded land landing arrive "
        "arriving departing leaving exist exists existed"
    ).split()
)

AGGREGATES = {
    "average": "avg",
    "avg": "avg",
    "mean": "avg",
    "averages": "avg",
    "sum": "sum",
    "total": "sum",
    "combined": "sum",
    "totals": "sum",
    "overall": "sum",
    "minimum": "min",
    "min": "min",
    "maximum": "max",
    "max": "max",
    "median": "median",
    "stddev": "stddev",
}

# For each adjective: whether it asks for the greatest, and words for the columns that it measures, best first.
_SIZE = "size area population sqft footage amount total revenue value capacity length"
_DATE = "created date time year at joined added start timestamp ts day"
ADJECTIVES: dict[str, tuple[bool, str]] = {
    "high": (True, "elevation altitude height"),
    "highest": (True, "elevation altitude height"),
    "tall": (True, "height altitude elevation"),
    "low": (False, "elevation altitude height"),
    "lowest": (False, "elevation altitude height price"),
    "long": (True, "length duration distance time runtime pages"),
    "short": (False, "length duration height distance time pages"),
    "large": (True, _SIZE),
    "big": (True, _SIZE),
    "great": (True, _SIZE),
    "huge": (True, _SIZE),
    "small": (False, _SIZE),
    "little": (False, _SIZE),
    "tiny": (False, _SIZE),
    "populous": (True, "population"),
    "populated": (True, "population"),
    "dense": (True, "density"),
    "old": (True, "age"),
    "young": (False, "age"),
    "new": (True, _DATE),
    "recent": (True, _DATE),
    "latest": (True, _DATE),
    "last": (True, _DATE),
    "early": (False, _DATE),
    "late": (True, _DATE),
    "earliest": (False, _DATE),
    "first": (False, _DATE),
    "newest": (True, _DATE),
    "oldest": (True, "age"),
    "expensive": (True, "price cost amount fee rate rent fare premium value"),
    "costly": (True, "price cost amount fee rent"),
    "cheap": (False, "price cost amount fee rate fare rent premium value"),
    "fast": (True, "speed pace"),
    "slow": (False, "speed pace"),
    "heavy": (True, "weight mass"),
    "light": (False, "weight mass"),
    "deep": (True, "depth"),
    "wide": (True, "width"),
    "hot": (True, "temperature temp"),
    "warm": (True, "temperature temp"),
    "cold": (False, "temperature temp"),
    "rich": (True, "income wealth salary revenue gdp"),
    "poor": (False, "income wealth salary gdp"),
    "popular": (True, "popularity sales count votes likes rating"),
    "good": (True, "rating score grade"),
    "best": (True, "rating score grade stars"),
    "bad": (False, "rating score grade"),
    "worst": (False, "rating score grade stars"),
    "close": (False, "distance"),
    "far": (True, "distance"),
    "strong": (True, "strength power magnitude"),
    "weak": (False, "strength power magnitude"),
    "busy": (True, "traffic"),
    "valuable": (True, "value amount revenue"),
    "profitable": (True, "profit margin"),
}
_FORMS = {"better": "good", "worse": "bad", "farther": "far", "further": "far", "farthest": "far", "furthest": "far"}


def adjective(word: str) -> tuple[str, str] | None:
    """Returns (base, degree) of an adjective that measures something, or None.

    degree: positive, comparative or superlative.
    """
    if word in ("best", "worst", "latest", "earliest", "highest", "lowest", "newest", "oldest", "first", "last"):
        return word, "superlative"
    if word in _FORMS:
        return _FORMS[word], "superlative" if word.endswith("est") else "comparative"
    for ending, degree in (
        ("iest", "superlative"),
        ("est", "superlative"),
        ("ier", "comparative"),
        ("er", "comparative"),
    ):
        if word.endswith(ending):
            base = word[: -len(ending)]
            tries = [base + "y"] if ending in ("iest", "ier") else [base, base + "e", base[:-1]]
            for form in tries:
                if form in ADJECTIVES and form not in ("first", "last"):
                    return form, degree
    return (word, "positive") if word in ADJECTIVES else None


# Synonyms: the words of a line can replace each other.
_GROUPS = (
    "customer client buyer purchaser account",
    "revenue sales turnover income earnings amount",
    "price cost charge fee fare rent",
    "amount sum total value",
    "email mail",
    "phone telephone mobile cell",
    "company business organization firm employer",
    "employee staff worker personnel",
    "city town",
    "state province",
    "country nation",
    "zip postcode postal zipcode",
    "population person inhabitant citizen resident people",
    "birthday birthdate dob birth born",
    "salary wage pay compensation earn",
    "product item article good",
    "quantity qty units pieces",
    "category type kind class sort",
    "user member",
    "order purchase",
    "created added create add signup registered opened made crtd",
    "modified updated changed update",
    "start begin began started beginning",
    "end finish ended stop ended",
    "name title called",
    "gender sex",
    "department division dept",
    "location place",
    "rating score stars",
    "temperature temp",
    "altitude elevation height",
    "movie film",
    "song track",
    "car vehicle automobile",
    "student pupil",
    "teacher instructor professor",
    "doctor physician",
    "author writer",
    "paper publication article",
    "border neighbor neighbour neighboring adjacent bordering",
    "peak mountain",
    "flight plane",
    "speed velocity",
    "description desc",
    "address addr",
    "number num no count",
    "minimum min least",
    "maximum max most",
    "average avg mean",
    "identifier id code",
    "transaction tx txn",
    "insurance ins",
    "balance bal",
    "quarter qtr",
    "status condition stage",
    "lead prospect contact",
    "joined join signup registration registered",
    "hired hire employed",
    "fired termination terminated",
    "message text content",
    "latitude lat",
    "longitude lon lng long",
    "percent percentage pct",
    "date dt day",
    "time ts timestamp",
    "device gadget",
    "sensor device probe",
    "region area zone",
    "manager supervisor boss",
    "supplier vendor",
    "invoice bill",
    "shipping shipment delivery",
    "website url homepage site",
    "capacity seats",
    "likes liked like",
    "enrolled enrollment enrolment",
    "symbol ticker",
    "deposit payment",
    "meaning description",
    "departure dep depart departing",
    "arrival arr arrive arriving",
    "destination dest",
    "source src origin orig",
    "precipitation precip rain rainfall",
    "humidity hum",
    "distance dist",
    "horsepower hp power",
    "cylinder cyl",
    "displacement disp displ edispl",
    "weight wt weigh mass",
    "acceleration acc accelerate accel",
    "mpg mileage efficiency economy",
    "duration dur length runtime",
    "nation nationality",
    "age aged",
    "footage sqft area",
    "spectator attendance",
    "staff employee member",
    "budget cost",
    "gross revenue earnings",
    "expectancy exp",
    "death deaths fatalities killed died",
    "injury injured injuries",
    "maker manufacturer",
    "shop store",
    "kwh consumption usage electricity",
    "apartment flat",
    "measurement reading observation",
    "passenger rider traveler traveller",
    "pedestrian walker",
    "bike bicycle",
    "train rail",
    "station stop",
    "match game",
    "study trial",
    "journey trip voyage ride",
    "boat ship vessel",
    "port harbor harbour",
    "cargo freight",
    "gig concert show",
    "band musician",
    "operator carrier",
    "cause reason",
    "accident crash collision",
    "crime offense offence",
    "donation contribution",
    "donor contributor",
    "attendee participant",
    "guest visitor",
    "booking reservation",
    "appointment visit",
    "exam test",
    "mark grade",
    "premium rate",
    "rent rental lease",
    "quake earthquake",
    "subscriber member",
    "office branch",
    "plant factory",
    "truck lorry",
    "holiday vacation",
    "repair fix maintenance",
    "complaint issue",
    "applicant candidate",
    "room bedroom",
)
SYNONYMS: dict[str, frozenset[str]] = {}


def _link(groups: tuple[str, ...]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for group in groups:
        stems = {stem(word) for word in group.split()}
        for word in stems:
            found.setdefault(word, set()).update(stems)
    return {word: frozenset(others) for word, others in found.items()}


SYNONYMS = _link(_GROUPS)

MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
DAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon mondays",
            "tuesday tue tuesdays",
            "wednesday wed wednesdays",
            "thursday thu thursdays",
            "friday fri fridays",
            "saturday sat saturdays",
            "sunday sun sundays",
        ),
        1,
    )
    for name in names.split()
}
UNITS = {
    "year": "year",
    "years": "year",
    "yearly": "year",
    "annual": "year",
    "annually": "year",
    "yr": "year",
    "quarter": "quarter",
    "quarters": "quarter",
    "quarterly": "quarter",
    "month": "month",
    "months": "month",
    "monthly": "month",
    "week": "week",
    "weeks": "week",
    "weekly": "week",
    "weekday": "weekday",
    "weekdays": "weekday",
    "day": "day",
    "days": "day",
    "daily": "day",
    "hour": "hour",
    "hours": "hour",
    "hourly": "hour",
    "minute": "minute",
    "minutes": "minute",
    "decade": "decade",
}
