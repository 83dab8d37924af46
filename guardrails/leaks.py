"""Keeps the instructions of a prompt from being told: a secret word in each prompt, and the words of the instructions.

Knows, too, what is no leak: contacts that the shop has published. Knows nothing of engines, or of what the instructions
say.
"""

import codecs
import hmac
import re
import secrets
import threading
import unicodedata
from collections import Counter, OrderedDict
from collections.abc import Collection, Sequence

from guardrails.classification.pieces import decoded
from guardrails.verdict import PASS, Verdict

ALPHABET = "bcdfghjkmnpqrstvwxz23456789"
"""Of secret words: no vowels, so that they are no words, and nothing that looks like something else."""

LENGTH = 16
"""27^16 words: 76 bits."""

PART = 8
"""So many characters of a secret word in a row are a leak."""

WORDS = 4_096
"""So many secret words are watched for, more than prompts are ever answered with at once."""

RUN = 12
"""Han characters, or half as many Latin words, in a row that no passage has but the instructions have."""

SHARE = 0.5
"""Of a unit's short runs, that the instructions may not have."""

_NUMBER = re.compile(r"\+?\(?\d[\d ()./-]{4,}\d", re.ASCII)
_ALONE = r"(?<![0-9A-Za-z_.+-]){}(?![0-9A-Za-z_])"
_WORD = re.compile(r"[\u3400-\u9fff]|[a-z0-9]+(?:'[a-z]+)?")
_NOT_OURS = re.compile(rf"[^{ALPHABET}]+")


class Canaries:
    """Secret words of prompts, never to be shown. Thread-safe.

    Nobody without their key can guess a word, and the same texts always get the same one, so that a model without
    chance still says the same twice. The key is this process's own and random, until one is shared.
    """

    def __init__(self, most: int = WORDS) -> None:
        self._lock = threading.Lock()
        self._recent: OrderedDict[str, None] = OrderedDict()
        self._parts: Counter[str] = Counter()
        self._most = most
        self._key = secrets.token_bytes(32)

    def share(self, key: bytes) -> None:
        """Make the words that all who have this key make. Those that were issued before are still watched for."""
        self._key = key

    def word(self, *texts: str) -> str:
        """Return the word of these texts, without watching for it."""
        digest = hmac.digest(self._key, "\0".join(texts).encode("utf-8", "replace"), "sha256")
        return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])

    def issue(self, *texts: str) -> str:
        """Return the word of these texts and watch for it from now on."""
        word = self.word(*texts)
        with self._lock:
            if word not in self._recent:
                self._parts.update(_parts(word))
            self._recent[word] = None
            self._recent.move_to_end(word)
            if len(self._recent) > self._most:
                gone = _parts(self._recent.popitem(last=False)[0])
                self._parts.subtract(gone)
                for part in gone:
                    if not self._parts[part]:
                        del self._parts[part]
        return word

    def stands_in(self, text: str) -> bool:
        """Whether a part of any watched word stands in `text`, spaced out, reversed or encoded as it may be."""
        for reading in readings(text):
            for run in _NOT_OURS.split(re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", reading).lower())):
                if len(run) >= PART and any(part in self._parts for part in _parts(run)):
                    return True
        return False


def _parts(word: str) -> list[str]:
    return [word[at : at + PART] for at in range(len(word) - PART + 1)]


def readings(text: str) -> list[str]:
    """The text, what is encoded in it, its ROT13 and its reversal."""
    return [text, *decoded(text), codecs.encode(text, "rot13"), text[::-1]]


class LeakCheck:
    """A check for each unit of a reply: no secret word, and not the instructions' own words.

    instructions: the fixed texts of the prompts, in which nothing is secret but which nobody is to be told. What a
    passage says, too, may be said. mark: what stands around parts of prompts and nowhere else.
    """

    def __init__(self, canaries: Canaries, instructions: Collection[str], mark: re.Pattern[str] | None = None) -> None:
        self._canaries, self._mark = canaries, mark
        words = [_words(text) for text in instructions]
        self._runs = frozenset(run for one in words for run in _runs(one))
        self._short = frozenset(run for one in words for run in _runs(one, 3))

    def __call__(self, unit: str, evidence: Sequence[str], /) -> Verdict:
        """Block a unit that gives the secret word, a mark or the instructions away."""
        if self._canaries.stands_in(unit):
            return Verdict("block", "leak", ("canary",), 1.0)
        if self._mark and self._mark.search(unit):
            return Verdict("block", "leak", ("instructions",), 1.0)
        for reading in readings(unit):
            words = _words(reading)
            if len(words) < 5:
                continue
            short = _runs(words, 3)
            told = short & self._short
            long = _runs(words) & self._runs
            if not long and (len(told) < 5 or len(told) < SHARE * len(short)):
                continue
            known = [_words(passage) for passage in evidence]
            long -= {run for one in known for run in _runs(one)}
            told -= {run for one in known for run in _runs(one, 3)}
            if long or (len(told) >= 5 and len(told) >= SHARE * len(short)):
                return Verdict("block", "leak", ("instructions",), len(told) / max(1, len(short)))
        return PASS


def _words(text: str) -> list[str]:
    return _WORD.findall(unicodedata.normalize("NFKC", text).lower().replace("’", "'"))


def _runs(words: Sequence[str], length: int = 0) -> set[tuple[str, ...]]:
    """Every run of `length` words, or else of `RUN` in weight, where a Latin word weighs as much as two characters."""
    if length:
        return {tuple(words[at : at + length]) for at in range(len(words) - length + 1)}
    found = set()
    ends = [0]
    for word in words:
        ends.append(ends[-1] + (2 if word.isascii() else 1))
    end = 0
    for at in range(len(words)):
        while end < len(words) and ends[end] - ends[at] < RUN:
            end += 1
        if ends[end] - ends[at] < RUN:
            break
        found.add(tuple(words[at:end]))
    return found


def published_in(unit: str, contacts: Collection[str]) -> list[str]:
    """Return the shop's published contacts that stand in a unit, numbers as they are spelled there."""
    numbers = {re.sub(r"\D", "", one) for one in contacts if _NUMBER.fullmatch(one)}
    spelled = [match[0] for match in _NUMBER.finditer(unit) if re.sub(r"\D", "", match[0]) in numbers]
    others = (one for one in contacts if not _NUMBER.fullmatch(one))
    return [one for one in others if re.search(_ALONE.format(re.escape(one)), unit, re.IGNORECASE)] + spelled
