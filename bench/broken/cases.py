"""One broken file: how it is made, and what must come of it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Case:
    """`expected` are the outcomes allowed: "content", or codes of `knowledge.reasons.REASONS`.

    Content must hold `holds` and lack `lacks`. `slow` ones are left out of the tests.
    """

    name: str
    make: Callable[[], bytes]
    expected: tuple[str, ...] = ("content",)
    holds: str = ""
    lacks: str = ""
    slow: bool = False
