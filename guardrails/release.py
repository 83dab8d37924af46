"""The only way out: text becomes `Released` here, unit by unit, after the lexicon and every check have passed it.

Streamed and whole text take the same path, and a guard that fails refuses. Knows nothing of who wrote the text.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import InitVar, dataclass, field
from typing import Protocol

from guardrails.lexicon import Hit, Lexicon, verdict_of
from guardrails.normalizer import context
from guardrails.units import CAP, Coming, safe_cut, split_units
from guardrails.verdict import GUARD_FAILED, PASS, STRICTNESS, Tier, Verdict

logger = logging.getLogger(__name__)

HOLD_LIMIT = 1_024
"""Code points that may wait for a word to be completed. Only invisible or repeated ones can make a word that long."""

_MAKER = object()


class Evidence(tuple[str, ...]):
    """The passages that a reply rests on, and `contacts` of the shop's own, which may be told whatever these say."""

    contacts: Collection[str] = ()

    @classmethod
    def of(cls, passages: Iterable[str], contacts: Collection[str]) -> "Evidence":
        """Both."""
        made = cls(passages)
        made.contacts = contacts
        return made


class Check(Protocol):
    """Judges one unit, given the passages that it rests on. May be slow; may raise, which refuses the unit."""

    def __call__(self, unit: str, evidence: Sequence[str], /) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class Released:
    """Text that may be shown, and the verdict that says so, with a reason where a check was unsure of it. Made by
    `Release` alone: raises TypeError elsewhere.
    """

    text: str
    verdict: Verdict
    maker: InitVar[object] = None

    def __post_init__(self, maker: object) -> None:
        if maker is not _MAKER:
            raise TypeError("only guardrails.release makes Released")


@dataclass(frozen=True, slots=True)
class Withheld:
    """Why a text, or the rest of it, may not be shown. `text` is what was held back when that was known: for a reviewer
    alone, never for a log.
    """

    verdict: Verdict
    text: str = field(default="", compare=False, repr=False)


class Release:
    """Holds text back until it is known to be harmless.

    lexicon: called once a unit, so that an edited list acts on answers under way. checks: in the order in which they
    run, cheapest first. cap: code points in a unit. Safe to share between threads.
    """

    def __init__(self, lexicon: Callable[[], Lexicon], checks: Sequence[Check] = (), cap: int = CAP) -> None:
        self._lexicon = lexicon
        self._checks = tuple(checks)
        self._cap = cap

    def stream(
        self, deltas: Iterable[str], evidence: Sequence[str] = (), *, cut: bool = True
    ) -> Iterator[Released | Withheld]:
        """Yield what may be shown of the joined `deltas`, in order, as soon as that is known.

        Without `cut` each delta is a unit already: cut again, it would wait for the next one. A `Coming` among them is
        judged while the writer goes on, and its verdict is at hand when the unit comes.

        The first review or block ends it with one `Withheld`. A character that could belong to a forbidden word waits
        for the ones after it. `deltas` is closed before that, or however else it ends. Raises what `deltas` raises.
        """
        held, before = "", ""
        verdict, passed, ahead = PASS, PASS, ("", PASS)
        try:
            for unit in split_units(deltas, self._cap) if cut else deltas:
                judged = unit.rstrip()
                if isinstance(unit, Coming):
                    ahead = judged, judge_unit(judged, evidence, self._checks)
                    continue
                held += unit
                verdict, safe = self._by_lexicon(before, held, final=False)
                if verdict.action == "pass":
                    verdict = ahead[1] if ahead[0] == judged else judge_unit(judged, evidence, self._checks)
                    passed = verdict
                if verdict.action != "pass":
                    break
                if safe:
                    yield Released(held[:safe], verdict, _MAKER)
                    before, held = context(before + held[:safe]), held[safe:]
        finally:
            close = getattr(deltas, "close", None)
            if close is not None:
                close()
        if held and verdict.action == "pass":
            verdict, _ = self._by_lexicon(before, held, final=True)
            if verdict.action == "pass":
                yield Released(held, passed, _MAKER)
        if verdict.action != "pass":
            yield Withheld(verdict, held)

    def whole(self, text: str, evidence: Sequence[str] = ()) -> tuple[Released, ...] | Withheld:
        """Return the units of `text`, or why it is withheld: the same judgement as `stream` on any chunks of it."""
        units: list[Released] = []
        for unit in self.stream((text,), evidence):
            if isinstance(unit, Withheld):
                return unit
            units.append(unit)
        return tuple(units)

    def _by_lexicon(self, before: str, held: str, final: bool) -> tuple[Verdict, int]:
        """Return the verdict on `held`, which follows `before`, and how many of its characters can leave."""
        safe, new = 0, len(before)

        def judge() -> Verdict:
            nonlocal safe
            lexicon, text = self._lexicon(), before + held
            safe = len(held) if final else max(0, len(held) - lexicon.held_back(text))
            hits = _serious(lexicon.match(text), new)
            if hits and not final:
                sure = lexicon.match(text, unfinished=True)
                safe = min([safe, *(max(0, hit.start - new) for hit in hits if hit not in sure)])
            safe = safe_cut(held, safe)
            verdict = verdict_of(hit for hit in hits if hit.start < new + safe)
            # What leaves must be harmless as it stands, should nothing follow: no cut may leave "ass" of "assets".
            while verdict.action == "pass" and 0 < safe < len(held):
                shown = _serious(lexicon.match(text[: new + safe]), new)
                if not shown:
                    break
                safe = safe_cut(held, max(0, min(hit.start for hit in shown) - new))
            if verdict.action == "pass" and len(held) - safe > HOLD_LIMIT:
                return Verdict("block", "lexicon", ("obfuscation",))
            return verdict

        return guarded(judge, "lexicon"), safe


def _serious(hits: Iterable[Hit], new: int) -> list[Hit]:
    """Return the hits that reach beyond `new` and are more than counted."""
    return [hit for hit in hits if hit.end > new and hit.level != "count"]


def judge_unit(unit: str, evidence: Sequence[str], checks: Iterable[Check]) -> Verdict:
    """Return the first verdict of `checks` that is not a pass, else the first that gives a reason, else a pass.

    Never raises.
    """
    passed = PASS
    for check in checks:
        verdict = guarded(lambda check=check: check(unit, evidence))  # type: ignore[misc]
        if verdict.action != "pass":
            return verdict
        if not passed.categories:
            passed = verdict
    return passed


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the first of the strictest verdicts, a pass when there is none."""
    return max([*verdicts], key=lambda verdict: STRICTNESS[verdict.action], default=PASS)


def guarded(judge: Callable[[], Verdict], tier: Tier | None = None) -> Verdict:
    """Return what `judge` returns; one that raises blocks. Neither text nor the exception's words are logged."""
    try:
        return judge()
    except Exception as error:
        where = error.__traceback__
        while where is not None and where.tb_next is not None:
            where = where.tb_next
        place = f"{where.tb_frame.f_code.co_filename}:{where.tb_lineno}" if where else "unknown place"
        logger.error("A guard failed, so the text is withheld: %s at %s", type(error).__name__, place)
        return Verdict("block", tier, (GUARD_FAILED,))
