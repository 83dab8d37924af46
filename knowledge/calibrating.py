"""From which probability on to answer, for a stated share of wrongly answered questions. Pure."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LEAST = 20
"""Questions of each kind, below which a share says nothing."""


class TooFew(Exception):
    """There are too few labelled questions, in words for people."""


@dataclass(frozen=True)
class Threshold:
    """The probability `value`, the share of unanswerable questions that it answers, and of the others that it keeps."""

    value: float
    answered_wrongly: float
    kept: float


def threshold_for(answerable: Sequence[float], unanswerable: Sequence[float], *, error: float) -> Threshold:
    """Return the least threshold at which at most the share `error` of the unanswerable questions is answered.

    Both are confidences, 0 to 1. The threshold is put in the middle between the last question that is refused and the
    next. Raises TooFew, and ValueError unless 0 < error < 1.
    """
    if not 0 < error < 1:
        raise ValueError("error is a share between 0 and 1")
    if min(len(answerable), len(unanswerable)) < LEAST:
        raise TooFew(
            f"{LEAST} questions of each kind are needed: there are {len(answerable)} that the documents answer, "
            f"{len(unanswerable)} that they do not"
        )
    may_pass = math.floor(error * len(unanswerable) + 1e-9)
    refused = sorted(unanswerable, reverse=True)[may_pass]
    above = [one for one in (*answerable, *unanswerable) if one > refused]
    value = max((refused + min(above, default=refused)) / 2, math.nextafter(refused, math.inf))
    return Threshold(value, _share(unanswerable, value), _share(answerable, value))


def _share(confidences: Sequence[float], value: float) -> float:
    return sum(one >= value for one in confidences) / len(confidences)
