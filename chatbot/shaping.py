"""How a reply sounds: its opening, its length, and nothing twice. Pure; knows of engines only what a draft tells.

What the passages say goes through word for word: whole sentences may be left out, no character of one is changed.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from chatbot.engines import Draft
from chatbot.engines.citations import cited
from chatbot.turn import Language, Utterance
from chatbot.wording import SENTENCES
from guardrails.units import Coming, split_units
from understanding.sentiment.trend import REMEMBERED, Mood, Trend, mood_of

Tone = Literal["plain", "warm", "exact", "sorry", "glad"]

TONES: dict[Tone, str] = {
    "plain": "",
    "warm": "Be friendly and inviting.",
    "exact": "Be matter-of-fact: give numbers, dates and conditions exactly as the passages do.",
    "sorry": "The customer is upset, and an apology stands before your reply already: be calm and kind, say at once "
    "what helps, and do not apologise again.",
    "glad": "The customer is pleased: be warm, in few words.",
}
"""What a language model is told beside the site's persona."""

MOST = {"order_status": 3, "shipping": 4, "payment": 4, "invoice": 4, "complaint": 4}
MOST_ELSE = 5
MOST_BRIEF = 3
"""How many sentences a reply may have, by intent, otherwise, and where the site wants to be brief."""

UNTIL_CITED = 2
"""Sentences that may follow until one bears the citation of those before."""

UNTIL_FIRST_CITED = 8
"""As many may while there is no citation at all: without one the reply has no sources."""

LEAST_SAID = 4
"""Characters of a sentence that counts as said before: "Yes." may come again."""

_BRIEF = re.compile(r"\b(?:brief|concise|terse|laconic)\b|简短|简洁|简练|干练", re.IGNORECASE)
_SOBER = re.compile(r"\b(?:formal|sober|matter-of-fact|reserved)\b|正式|严谨|庄重|稳重", re.IGNORECASE)
_LEANS_BACK = re.compile(
    r"\s*(?:但|不过|然而|否则|其中|此时|届时|它|该|此|这|那|上述|同时|然后|因此|所以|也|还|并)"
    r"|\s*(?:it|its|they|their|this|that|these|those|but|however|otherwise|then|also|so|after that)\b",
    re.IGNORECASE,
)
_STOP = re.compile(r"[。！？….!?][\"'”’」』）)\]*_]*(?:\s?\[\d{1,2}\])*\s*$")
_LINE_END = re.compile(r"\n\s*$")
_GOES_ON = re.compile(r"[：:；;](?:\s?\[\d{1,2}\])*\s*$")
_INDENTED = re.compile(r"\n[ \t]+$")
_ITEM = re.compile(r"\s*(?:[-+*](?![\d*])|[•·●▪|]|\d{1,2}[.)、](?!\d)|[(（]\d{1,2}[)）])")
_CITES_AT_END = re.compile(r"\[\d{1,2}\][\s。！？；….!?]*$")
_OWN_WORDS = {text for texts in SENTENCES.values() for text in texts.values()}


@dataclass(frozen=True)
class Manner:
    """How to speak in one turn. `opening`, `again` and `closing` are wording codes, "" for none: what stands before the
    reply, what does instead when the reply begins with what was said before, and what stands after it. `sentences` is
    the reply's budget.
    """

    tone: Tone = "plain"
    opening: str = ""
    again: str = ""
    closing: str = ""
    sentences: int = MOST_ELSE


def manner_of(
    intent: str,
    sentiment: str,
    trend: Trend,
    language: Language,
    said: Sequence[str],
    persona: str = "",
    wanted: Tone = "plain",
) -> Manner:
    """The manner of the reply to a message of that intent and sentiment; `wanted` is the intent's own tone.

    `said` is what the bot said in this conversation: no opening comes twice. An upset customer gets an apology, one who
    grows more upset another kind of it; a pleased one a pleased word, unless the site's persona is brief or sober; a
    neutral question nothing. A person is offered at the end when the trend says so.
    """
    brief = bool(_BRIEF.search(persona))
    tone: Tone = {"negative": "sorry", "positive": "glad"}.get(sentiment, wanted)  # type: ignore[assignment]
    kind = "sorry_again" if tone == "sorry" and trend.direction == "worsening" and said else tone
    silent = tone not in ("sorry", "glad") or (tone == "glad" and (brief or _SOBER.search(persona)))
    most = MOST.get(intent, MOST_ELSE)
    return Manner(
        tone,
        "" if silent else _unused(f"opening.{kind}", language, said),
        "" if tone == "sorry" else _unused("opening.again", language, said),  # the upset hear an apology rather
        _unused("closing.person", language, said) if trend.hand_off == "offer" else "",
        min(most, MOST_BRIEF) if brief else most,
    )


def moods_of(
    history: Sequence[Utterance], text: str, judge: Callable[[Sequence[str]], Sequence[tuple[str, float]]]
) -> tuple[Mood, ...]:
    """The customer's last messages, and `text` which is to be answered now, as `judge` judges them; oldest first.

    What an agent says between, or the bot by way of greeting, refusal or handing over, is no answer of the bot's.
    """
    answered = False
    messages: list[tuple[str, bool]] = []
    for said in (*history, Utterance("customer", text)):
        if said.role == "customer":
            messages.append((said.text, answered))
        answered = said.role == "bot" and _is_answer(said)
    messages = messages[-REMEMBERED:]
    judged = judge([message for message, _ in messages])
    return tuple(
        mood_of(message, label, score, after_answer=after)
        for (message, after), (label, score) in zip(messages, judged, strict=True)
    )


def _is_answer(said: Utterance) -> bool:
    return said.outcome in ("faq", "answered") if said.outcome else said.text not in _OWN_WORDS


class Shaped(Iterator[str]):
    """The deltas of a reply, shaped: units, and before one that may be complete its `Coming`. `opening`, a wording code
    or "", is certain from the first unit on.

    What the bot has said before is left out, unless the reply begins with it or the rest would lose its sense or its
    citation. The reply ends where `_Length` has it end, unless its engine keeps itself short, and without the half
    sentence that the engine had no room to complete. Of a `whole` reply (an FAQ's own words) everything stays. Closing
    it closes `deltas`.
    """

    def __init__(self, deltas: Iterable[str], manner: Manner, said: Sequence[str], *, whole: bool = False) -> None:
        self.opening = manner.opening
        self._source, self._manner, self._keeps_all = deltas, manner, whole
        self._draft = deltas if isinstance(deltas, Draft) and not whole else None
        self._said = {key for text in said for unit in split_units((text,)) if (key := _key(unit))}
        self._deltas = self._shape()

    def __next__(self) -> str:
        return next(self._deltas)

    def close(self) -> None:
        """End the reply here."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()

    def _shape(self) -> Iterator[str]:
        held: list[str] = []
        """Said before: what follows decides whether it can be left out."""
        length = _Length(self._manner.sentences)
        for unit in split_units(self._source, coming=True):
            if isinstance(unit, Coming):
                yield unit
                continue
            if self._is_bounded() and length.is_enough(before=unit):
                break
            if self._is_half(unit, length):
                continue
            if not length.last and _key(unit) in self._said:
                self.opening = self._manner.again or self.opening
            elif _key(unit) in self._said and not self._keeps_all:
                held.append(unit)
                continue
            for one in (*_needed(held, length, unit), unit):
                yield one
                length.add(one)
            held = []
            if self._is_bounded() and length.is_enough():
                break
        self.close()
        yield from _needed(held, length, "")

    def _is_bounded(self) -> bool:
        return not self._keeps_all and not (self._draft is not None and self._draft.bounded)

    def _is_half(self, unit: str, length: "_Length") -> bool:
        """Whether `unit` is of the sentence in which the engine had to end; one that cites is better than none."""
        cut = self._draft is not None and self._draft.cut
        return cut and length.is_whole and not _ends(unit) and not cited(unit)


class _Length:
    """How much of a reply is told, and where it may end: with the sentence that fills the budget, or up to
    `UNTIL_CITED` later where their citation stands; while nothing is cited yet, `UNTIL_FIRST_CITED` later. Never within
    a sentence, a list or a table.
    """

    def __init__(self, most: int) -> None:
        self.last, self.cites = "", False
        self._over, self._in_list = -most, False

    @property
    def is_whole(self) -> bool:
        """Whether what was told ends with a whole sentence or line that announces no other."""
        return _ends(self.last) and not _GOES_ON.search(self.last)

    def add(self, unit: str) -> None:
        """This was told."""
        if not self.last or _LINE_END.search(self.last):
            self._in_list = self._belongs(unit)
        self._over += bool(_STOP.search(unit))
        self.cites = self.cites or bool(cited(unit))
        self.last = unit

    def is_enough(self, before: str = "") -> bool:
        """Whether the reply may end here. Where a line ends, only what comes next tells whether a list goes on."""
        most = UNTIL_CITED if self.cites else UNTIL_FIRST_CITED
        if not self.is_whole or self._over < 0 or not (self._over >= most or _CITES_AT_END.search(self.last)):
            return False
        if _LINE_END.search(self.last):
            return bool(before) and not self._belongs(before)
        return not self._in_list

    def _belongs(self, unit: str) -> bool:
        """Whether the line that begins with `unit` is of a list or a table."""
        return bool(_ITEM.match(unit)) or (self._in_list and bool(_INDENTED.search(self.last)))


def _ends(unit: str) -> bool:
    return bool(_STOP.search(unit) or _LINE_END.search(unit))


def _needed(held: list[str], before: _Length, after: str) -> list[str]:
    """`held`, when what stands around it needs it: `before` its citation, `after` what it speaks of; or when there is
    nothing around it but what cites nothing, such as "Sure, I can help you with that."
    """
    cites_before = bool(cited("".join(held))) and not _CITES_AT_END.search(before.last)
    alone = not before.cites and not cited(after)
    return held if cites_before or alone or _LEANS_BACK.match(after) else []


def _unused(kind: str, language: Language, said: Sequence[str]) -> str:
    """The code of the first wording of that kind that was not said yet; "" when all were."""
    codes = sorted(code for code in SENTENCES if code.rpartition(".")[0] == kind)
    return next((code for code in codes if not any(SENTENCES[code][language] in text for text in said)), "")


def _key(unit: str) -> str:
    """What makes two sentences the same; "" for one too short to tell."""
    plain = "".join(unicodedata.normalize("NFKC", re.sub(r"\[\d{1,2}\]", "", unit)).casefold().split())
    plain = plain.rstrip(".!?…。；;")
    return plain if len(plain) >= LEAST_SAID else ""
