"""What an answer engine is: it takes a question with its passages and streams the reply's text.

Knows nothing of guards, of storage, or of how the passages were found. Each engine is one file beside this one.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from chatbot.turn import Language, Utterance
from knowledge.passages import Passage, Vectors


class EngineFailed(Exception):
    """The engine could not write the reply; `retryable` says whether another try may succeed."""

    def __init__(self, message: str, *, retryable: bool) -> None:
        super().__init__(message)
        self.retryable = retryable


@dataclass(frozen=True, eq=False)
class Prompt:
    """What a reply is written from. All text is masked; `history` is oldest first and ends before `question`.

    `question_vector` has shape (dimension,) and is L2-normalised; `passages` are best first, and a citation `[n]` in
    the reply means `passages[n - 1]`. `persona` is the site's manner of speaking, never a source of facts.
    """

    question: str
    question_vector: Vectors = field(repr=False)
    passages: tuple[Passage, ...]
    language: Language
    history: tuple[Utterance, ...] = ()
    persona: str = ""


class Engine(Protocol):
    """Writes replies. One instance serves many threads."""

    name: str
    model: str
    prompt_version: str

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Iterator[str]:
        """Yields the reply as text deltas, none empty; ends soon after `cancelled()` is true. Raises `EngineFailed`."""
        ...

    def close(self) -> None:
        """Frees what the engine holds; it is not used afterwards."""
        ...
