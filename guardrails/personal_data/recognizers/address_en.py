"""Addresses in Latin letters: street and number in either order, flat, box, then city, state, postcode and country."""

# ruff: noqa: E501 - a pattern reads best unbroken

import re
from collections.abc import Iterator

from guardrails.personal_data import words
from guardrails.personal_data.recognizer import Recognizer, Span

_LATIN = r"0-9A-Za-z_\u00c0-\u024f\u0370-\u052f\u1e00-\u1eff"


def _compiled(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Compile with Latin, Greek and Cyrillic letters alone for `\\w`: a Chinese character is no part of the word."""
    return re.compile(pattern.replace(r"[\w", f"[{_LATIN}").replace(r"\w", f"[{_LATIN}]"), flags)


_UPPER = r"A-Z\u00c0-\u00de\u0100-\u024f\u0370-\u03ff"
_CAP = rf"(?:(?-i:[{_UPPER}])(?:[\w'’-]*\w)?\.?|(?:d|l|L|D)['’](?-i:[{_UPPER}])[\w'’-]*)"
_SMALL = r"(?:of|the|de|del|della|dei|degli|di|da|do|dos|das|la|le|les|el|los|las|du|des|van|von|der|den|het|ten|ter|zur|zum|am|an|im|in|op|u|v|a|i|y|e|na|nad|pod|sur|et)"
_NAME = rf"{_CAP}(?:[ ](?:(?:{_SMALL}[ ]){{0,2}}{_CAP})){{0,4}}"
_TYPES = sorted((re.escape(word) for word in words.read("english_street_types")), key=len, reverse=True)
_RARE = sorted(words.read("english_rare_street_types"), key=len, reverse=True)
_TYPE = rf"(?:{'|'.join(_TYPES)})(?![\w])"
_END = r"(?![\w@])"
_HOUSE = r"(?<![\w.#$€£¥@])(?<![\w.][/-])(?<![0-9.][,:])(?<![$€£¥#] )(?:no\.? ?)?[0-9]{1,6}(?:[A-Za-z]|[-/][0-9]{1,4}[A-Za-z]?)?(?: 1/2)?(?:,(?![ ][0-9]))?[ ]"
_SIDE = r"(?:[ ](?:north|south|east|west|[NSEW]{1,2}\.?|northeast|northwest|southeast|southwest)(?![\w]))?"
_ORDINAL = r"[0-9]{1,3}(?:st|nd|rd|th)"
_UNIT = (
    r"(?:(?:apt|apartment|suite|ste|unit|flat|room|rm|floor|fl|building|bldg|block|door|dpto|piso)\b\.?[ ]?(?:no\.?[ ]?|#[ ]?)?"
    r"(?:[0-9]{1,5}[A-Za-z]?(?:-[0-9A-Za-z]{1,4})?|[A-Z](?:[0-9]{1,4})?)(?![\w])|#[ ]?[0-9]{1,5}[A-Za-z]?(?!\w)"
    r"|[0-9]{1,3}(?:st|nd|rd|th) floor)"
)
_BOX = r"(?:(?:p\.? ?o\.? ?box|post ?box|postfach|postbus|boîte postale)[ ]?#?[0-9]{1,6}|psc[ ][0-9]{1,5},?[ ]box[ ][0-9]{1,5}|unit[ ][0-9]{1,5}[ ]box[ ][0-9]{1,5}|us(?:s|ns|nv|cgc)[ ][\w ]{2,30}(?=\n[adf]po ))"
_EURO_BEFORE = (
    r"(?:via|viale|corso|piazza|vicolo|strada|rue|chemin|quai|impasse|allée|route de|calle|avenida|avda\.?|av\.?|paseo|plaza|camino|carrer|ronda"
    r"|rua|rúa|r|travessa|praça|largo|estrada|ul\.|ulica|os\.|al\.|aleja|pl\.|trg|cesta|ulice|náměstí|třída|avenue|boulevard|place|cours|calea|str\.|strada|bulevardul)"
)
_EURO_AFTER = (
    r"(?:[\w'’-]{2,}(?:straße|strasse|strase|str\.|gasse|gässli|weg|platz|allee|damm|steig|chaussee|feld(?:en)?|stätten|vej|vænget|gade|stræde|torv|allé|gatan|gata"
    r"|vägen|väg|gärde|gränd|torget|veien|vegen|veg|haugen|bakken|svingen|stien|laan|straat|steeg|plein|dijk|kade|singel|gracht|hove|dreef|baan|katu|kuja|polku|rinne|kaari"
    r"|penger|vegur|stígur|braut|götu|tänav|puiestee|maantee)|(?:ulica|ulice|utca|u\.|út|útja|tér|tere|körút|sétány|köz|fasor|kapu|põik|tee|tie|vei|straße|strasse|weg|platz|allee))"
)
_TOWN = rf"(?:(?:St|Ft|Mt)\. )?(?-i:[{_UPPER}])(?:[\w'’-]*\w)?"
_CITY = rf"(?:{_TOWN}(?:[ ](?:(?:(?:(?!in[ ]|at[ ]|and[ ]){_SMALL}|upon|under)[ ]){{0,2}}{_TOWN})){{0,4}})"
_RARE_SCORE = 0.75
_ANCHORS = (
    # 12 Baker Street, 5a Upper High St. North, 350 5th Avenue
    (0.85, rf"{_HOUSE}(?:[0-9]{{1,4}}[ ])?(?:[NSEW]\.?[ ])?(?:{_NAME}|{_ORDINAL})[ ]{_TYPE}{_SIDE}"),
    (_RARE_SCORE, rf"{_HOUSE}(?:[0-9]{{1,4}}[ ])?(?:{_CAP}[ ]){{1,3}}(?:{'|'.join(_RARE)}){_END}"),
    # 111 Kingsway, Glasgow G41 9SG: any street before a city and a postcode with letters
    (
        0.8,
        rf"{_HOUSE}(?:{_CAP}[ ]?){{1,3}}(?=(?:,[ ]|\n){_CITY},?[ \n](?-i:[A-Z]{{1,2}}[0-9][0-9A-Z]? ?[0-9][A-Z]{{2}}|[A-Z]{{2}} [0-9]{{5}})(?![\w]))",
    ),
    # Mellemvej 32, Rákóczi út 13., Victor Hugo u. 49
    (
        0.8,
        rf"(?:{_HOUSE})?(?<![\w@])(?:(?:{_CAP}[ ]){{1,3}}|(?=(?-i:[{_UPPER}])))(?:(?:{_SMALL}[ ])?{_EURO_AFTER})[ ][0-9]{{1,4}}(?:[a-zA-Z](?!\w)|[-/][0-9]{{1,4}})?(?![\w%€$])\.?",
    ),
    # Via Tasso 129, ul. Miła 53, Avenida de la Paz 7
    (
        0.8,
        rf"(?:{_HOUSE})?(?<![\w@]){_EURO_BEFORE}[ ](?:{_SMALL}[ ]){{0,2}}{_NAME},?[ ](?:n[º°o]\.?[ ]?)?[0-9]{{1,4}}(?:[a-zA-Z](?!\w))?(?![\w%€$])",
    ),
    # 33 avenue de Provence, 69 Av Sidi Lakhmi
    (
        0.8,
        rf"{_HOUSE}(?:bis,?[ ])?(?:rue|avenue|av\.?|boulevard|bd|place|chemin|quai|impasse|allée|cours|route|jalan|jl\.?)[ ](?:{_SMALL}[ ']){{0,2}}{_NAME}(?:[ ][0-9]{{1,4}}(?![\w]))?",
    ),
    (0.8, rf"{_BOX}"),
    # anything with a number before a flat: 19902 Dobrovského 1394 Apt. 066
    (
        0.8,
        rf"(?<![\w.,:/#$€£@-])(?:(?:{_CAP}|{_SMALL}|[0-9]{{1,6}}[A-Za-z]?\.?)[ ]){{0,7}}(?:{_CAP}|[0-9]{{1,6}}[A-Za-z]?\.?)(?:[ ]|,[ ]|[ ]?\n[ ]?)(?!#){_UNIT}",
    ),
    # a number, a name, a number, and a line or a comma: 5850 Jana Nerudy 894
    (0.7, rf"(?<![\w.,:/#$€£@-])[0-9]{{2,6}}[ ](?:{_CAP}[ ]){{1,4}}[0-9]{{1,4}}[A-Za-z]?(?=[ ]?[,\n])"),
    (0.6, r"(?<![\w])(?:apt|apartment|flat)\.? ?[0-9]{1,4}[A-Za-z]?(?![\w%])(?:[ ][0-9]{1,6})?"),
)
_CORNER = _compiled(
    rf"(?:the[ ])?corner of[ ](?=[^,;\n]{{0,40}}(?-i:[{_UPPER}]))[^,;\n]{{3,60}}?[ ](?:and|&)[ ](?:(?:{_CAP}|{_SMALL}|[0-9]{{1,5}}\.?)[ ]){{0,5}}{_CAP}(?:[ ][0-9]{{1,4}})?",
    re.I,
)
_CROSSING = _compiled(rf"(?<![\w])(?:{_CAP}[ ]){{1,3}}(?:and|&|és|och|und)[ ]$", re.I)
_CROSSING_CUE = _compiled(r"(?:\A|\n|(?<![a-z])(?:to|at|of|on|:))[ ]?$", re.I)
_CALLED = _compiled(
    rf"(?:address(?:es)?(?: is| to|:| was| are)|lives? (?:on|at)|living (?:on|at)|located at|office is at|taxi to|deliver(?:ed|y)?(?: it| them)? to|ship(?:ped|ping)?(?: it| them)? to"
    rf"|send(?: it| them)? to|moved to)[ :\n]+(?P<where>(?:[0-9]{{1,6}}[ ])?(?:{_CAP}[ ]){{1,4}}[0-9]{{1,5}}[A-Za-z]?(?![\w])(?!\.[0-9]))",
    re.I,
)
_LOWER_REST = _compiled(
    r"(?:,? (?!(?:and|for|but|please|by|on|is|as|to|with|my|i|it|so|or|can|will|the|this)(?!\w))[\w'’-]+){1,5}(?=[ ]?(?:[.;!?\n)]|$))"
)
_LOWER = _compiled(
    rf"{_HOUSE}(?:[0-9]{{1,4}}[ ])?(?!(?:of|the|for|in|to|more|way|days?|hours?|items?|pairs?)[ ])(?:[a-z'’-]+[ ]){{1,3}}"
    r"(?P<type>street|avenue|road|boulevard|lane|drive|court|square|terrace|parkway|highway|crescent|ave|blvd|rd|st)(?![\w])(?:[ ]?\.)?"
)
_LOWER_BEFORE = _compiled(
    rf"{_HOUSE}(?:via|viale|corso|rue|calle|avenida|rua|rúa|trg|avenue)[ ](?:[\w'’-]+[ ]){{1,4}}[0-9]{{1,4}}(?![\w])"
)
_CUE = _compiled(
    r"(?:address(?:es)?(?: is| to|:| was| are| for \w+ is)?|lives? (?:on|at|in)|living (?:on|at)|i(?:'| a)m at|located at|office is at|taxi to|deliver(?:ed|y)?(?: it| them)? to"
    r"|ship(?:ped|ping)?(?: it| them)? to|send(?: it| them)? to|moved to|my place at|here(?:'s| is| they are):|secondary address to the same:)[ :\n]*$",
    re.I,
)
_ZIP = r"(?:[0-9]{5}(?:-[0-9]{4})?|[A-Z]{1,2}[0-9][A-Z0-9]? ?[0-9][A-Z]{2}|[A-Z][0-9][A-Z] ?[0-9][A-Z][0-9]|(?:[A-Z]{1,2}-)?[0-9]{4}(?: ?[A-Z]{2})?|[0-9]{4}-[0-9]{3}|[0-9]{3} [0-9]{2,3}(?! [0-9])|[0-9]{6})(?![\w-])"
_STATE = r"(?:[A-Z]{2,3}|nan)(?![\w])"
_BEFORE_ANCHOR = _compiled(r"(?<![\w.,:/#$€£@-])(?:[0-9]{1,6}[ ]){1,2}$")
_FLAG = re.IGNORECASE
_PATTERNS = tuple((score, _compiled(pattern, _FLAG)) for score, pattern in _ANCHORS)
_UNIT_BEFORE = _compiled(rf"(?<![\w])(?:{_UNIT},[ ]?\n?|(?:apt|apartment|suite|unit|flat|room)\.? ?)$", re.IGNORECASE)
_ANY_UNIT = _compiled(_UNIT, re.IGNORECASE)
_MORE_UNIT = _compiled(rf"(?:(?:[ ](?:{_CAP}|{_SMALL})){{0,4}},?[ ]?\n?[ ]{{0,2}}|[ ]){_UNIT}\.?", re.IGNORECASE)
_TAIL_STRONG = _compiled(
    rf"(?:[ ]?,[ ]?|[ ]?\n[ ]?,?[ ]?|[ ])(?:{_CITY}(?:[ ]?,[ ]?|[ ]?\n[ ]?,?[ ]?|[ ]))?(?:{_STATE}(?:[ ]?,[ ]?|[ ]?\n[ ]?|[ ]))?"
    rf"(?:{_CITY}[ ]?(?:\((?:Greek|Turkish)\)[ ]?)?)?{_ZIP}"
)
_TAIL_LOWER = _compiled(
    r"(?:[ ]?,[ ]?|[ ]?\n[ ]?,?[ ]?|[ ])(?:[\w'’-]+[ ]){0,3}[\w'’-]+(?:[ ]?,[ ]?|[ ]?\n[ ]?,?[ ]?)(?:[\w'’()-]+[ ]){0,3}?[0-9]{5}(?![\w-])"
)
_TAIL_STATE = _compiled(rf"(?:[ ]?,[ ]?|[ ]?\n[ ]?|[ ]){_CITY}(?:[ ]?,[ ]?|[ ])(?:{_STATE})(?=[ ]?(?:[.,;!?\n]|$))")
_TAIL_CITY = _compiled(
    rf"(?:[ ]?,[ ]?|[ ]?\n[ ])(?P<city>{_CITY})(?=[ ]?(?:[.,;!?\n)]|$| (?:and|for|but|please|by|on|is|as)\b))"
)
_TAIL_OPEN = _compiled(rf"[ ](?P<city>{_CITY})(?=[ ]?(?:[.;!?\n)]|$))")
_MILITARY = _compiled(r"\n?[ ]?(?:APO|FPO|DPO)[ ]A[AEP][ ][0-9]{5}", re.IGNORECASE)
_NO_CITY = frozenset(
    [
        "please",
        "thanks",
        "thank",
        "my",
        "phone",
        "tel",
        "telephone",
        "mobile",
        "email",
        "e-mail",
        "can",
        "could",
        "i",
        "i'm",
        "name",
        "order",
        "card",
        "regards",
        "sincerely",
        "hello",
        "hi",
        "dear",
        "mobile:",
        "desk",
        "fax",
        "att",
        "attn",
        "the",
        "a",
        "an",
        "this",
        "that",
        "it",
        "and",
        "but",
        "or",
        "we",
        "you",
        "they",
        "he",
        "she",
        "if",
        "when",
        "where",
        "what",
        "how",
        "why",
        "is",
        "are",
        "was",
        "were",
        "call",
        "contact",
        "cell",
        "web",
        "website",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "during",
        "since",
        "until",
        "in",
        "at",
        "from",
        "to",
        "mr",
        "mrs",
        "ms",
        "dr",
        "yes",
        "no",
        "ok",
        "also",
        "zip",
        "postcode",
        "just",
        "cheers",
        "best",
        "kind",
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "spring",
        "summer",
        "autumn",
        "winter",
        "version",
        "order",
        "item",
        "size",
        "model",
    ]
)
_ZIP_ALONE = _compiled(
    rf"(?i:(?<![a-z])(?:zip|postal|post)[ ]?-?(?:code)?(?:[ ]is|[ ]?[:=#]|[ ]of)?[ ]{{0,2}}|邮编(?:号码)?(?:是|为|:)?[ ]?"
    r"|(?<![a-z])(?:zip|postal|post)[ -]?codes?(?:[ ](?:(?!order[ ][0-9#])[a-z'’]+[ ]){1,6}|[ ]?[(,\"“-][ ]?))"
    rf"(?P<zip>{_ZIP})|(?<![\w.,:/#$€£@-])(?P<said>[0-9]{{5}}(?:-[0-9]{{4}})?|[A-Z]{{1,2}}[0-9][A-Z0-9]? ?[0-9][A-Z]{{2}})(?i:[ ](?:is|was|as)[ ](?:my|the|our|a)[ ](?:new[ ]|old[ ])?|[ ]\(?)(?i:zip|post(?:al[ ])?code)"
    rf"|(?i:(?<![a-z])(?:deliver(?:y)?|ship(?:ping)?|courier|postage)[ ]to[ ])(?P<place>[0-9]{{5}}(?:-[0-9]{{4}})?|[A-Z]{{1,2}}[0-9][A-Z0-9]? ?[0-9][A-Z]{{2}})(?=[ ]?(?:[?.,;!\n]|$|costs?|takes?))"
)
_CITY_ZIP = _compiled(
    rf"(?<![\w])(?P<city>{_CITY})(?:,?[ ](?P<state>[A-Z]{{2}}|nan))?,?[ ](?P<zip>[0-9]{{5}}(?:-[0-9]{{4}})?|[0-9]{{4}}-[0-9]{{3}}|[0-9]{{3}} [0-9]{{2}}|(?!19|20)[0-9]{{4}})(?![\w-])(?!\.[0-9])"
)
_US_STATES = frozenset(
    [
        "AL",
        "AK",
        "AZ",
        "AR",
        "CA",
        "CO",
        "CT",
        "DE",
        "FL",
        "GA",
        "HI",
        "ID",
        "IL",
        "IN",
        "IA",
        "KS",
        "KY",
        "LA",
        "ME",
        "MD",
        "MA",
        "MI",
        "MN",
        "MS",
        "MO",
        "MT",
        "NE",
        "NV",
        "NH",
        "NJ",
        "NM",
        "NY",
        "NC",
        "ND",
        "OH",
        "OK",
        "OR",
        "PA",
        "RI",
        "SC",
        "SD",
        "TN",
        "TX",
        "UT",
        "VT",
        "VA",
        "WA",
        "WV",
        "WI",
        "WY",
        "DC",
    ]
)
_DATE = _compiled(
    r"[0-9]{1,2}(?:st|nd|rd|th)?,? (?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?,? ",
    re.IGNORECASE,
)
_REFERENCE_LIKE = re.compile(r"[0-9]{3}")
_IN = _compiled(r"(?:(?<![a-z])in|\n)[ ]?$")
_GATE = _compiled(
    r"[0-9][^\n]{0,40}[A-Za-z\u00c0-\u024f]{2}|[A-Za-z\u00c0-\u024f]{2}[^\n]{0,40}[0-9]|corner of|邮编", re.IGNORECASE
)


class AddressEn(Recognizer):
    """Fairly sure of a street with a number; grows over flat, city, state, postcode and country that follow."""

    ENTITY = "ADDRESS"

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the addresses; what overlaps is one."""
        if not _GATE.search(text):
            return
        last: Span | None = None
        for start, end, score in sorted(self._parts(text)):
            if last and start < last[1]:
                last = last[0], max(last[1], end), max(last[2], score)
                continue
            if last:
                yield last
            last = start, end, score
        if last:
            yield last

    def _parts(self, text: str) -> Iterator[Span]:
        done = 0
        anchors = sorted(
            [(m.start(), -m.end(), score, m) for score, pattern in _PATTERNS for m in pattern.finditer(text)],
            key=lambda anchor: anchor[:2],
        )
        for start, past, score, match in anchors:
            start = _first_word(match) if start >= done else start
            if score == _RARE_SCORE and not (
                _grown(text, -past) > -past or _CUE.search(text, max(0, start - 40), start)
            ):
                continue
            if start < done < -past and start > 0:
                start = done + (text[done] == " ")
            if start < done:
                continue
            if before := _BEFORE_ANCHOR.search(text, max(done, start - 14), start):
                start = before.start()
            if before := _UNIT_BEFORE.search(text, max(done, start - 24), start):
                start = before.start()
            if before := _CROSSING.search(text, max(done, start - 40), start):
                start = (
                    before.start() if _CROSSING_CUE.search(text, max(0, before.start() - 4), before.start()) else start
                )
            done = _grown(text, -past)
            yield start, done, score
        for match in _CALLED.finditer(text):
            yield match.start("where"), _grown(text, match.end("where")), 0.75
        for pattern in (_LOWER, _LOWER_BEFORE):
            for match in pattern.finditer(text):
                end = _grown(text, match.end())
                if match[0].islower() and (rest := _LOWER_REST.match(text, end)):
                    end = rest.end() if rest[0].islower() else end
                sure = end > match.end() or _CUE.search(text, max(0, match.start() - 40), match.start())
                if sure or pattern is _LOWER_BEFORE or len(match["type"]) > 4:
                    yield match.start(), end, 0.7
        for match in _CORNER.finditer(text):
            yield match.start(), match.end(), 0.86
        for match in _ZIP_ALONE.finditer(text):
            group = match.lastgroup or "zip"
            yield match.start(group), match.end(group), 0.8
        for match in _CITY_ZIP.finditer(text):
            if _NO_CITY.intersection(match["city"].lower().split()):
                continue
            if match["state"] in _US_STATES or _IN.search(text, max(0, match.start() - 4), match.start()):
                yield match.start("city"), match.end(), 0.7


def _first_word(match: re.Match[str]) -> int:
    """Return where the anchor's address begins: words that begin no address, or a name with a title, are left out.

    Without a number before its flat an anchor begins at the flat. -1 when nothing is left.
    """
    if _DATE.match(match[0]):
        return -1
    unit = _ANY_UNIT.search(match[0])
    if unit and unit.start() and not re.search("[0-9]", match[0][: unit.start()]):
        return match.start() + unit.start() if re.match("ap|fl", unit[0], re.I) else -1
    start, text = match.start(), match[0]
    while (word := re.match(r"[\w'’.-]+ ", text)) and word[0].strip(" .").lower() in _NO_CITY:
        start, text = start + word.end(), text[word.end() :]
    if text[:2].lower() == "us":  # a ship
        return start
    return start if re.search("[0-9]", text) and re.search(r"[^\W\d]{2}", text) else -1


def _grown(text: str, end: int) -> int:
    """Return where the address ends that is known up to `end`: flats, then city, state, postcode, country."""
    while more := _MORE_UNIT.match(text, end):
        end = more.end()
    if more := _MILITARY.match(text, end):
        return more.end()
    for pattern in (_TAIL_STRONG, _TAIL_STATE, _TAIL_LOWER):
        more = pattern.match(text, end)
        if more and more[0].strip(" ,\n").split(" ")[0].lower().rstrip(".,:") not in _NO_CITY:
            end = more.end()
            break
    for _ in range(3):
        more = _TAIL_CITY.match(text, end) or _TAIL_OPEN.match(text, end)
        if (
            not more
            or _REFERENCE_LIKE.search(more["city"])
            or _NO_CITY.intersection(more["city"].lower().replace(".", "").split())
        ):
            break
        end = more.end("city")
    return end
