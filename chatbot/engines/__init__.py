"""What an answer engine is: it takes a question with its passages and streams the reply's text.

Knows nothing of guards, of storage, or of how the passages were found. Each engine is one file beside this one.
"""

import math
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field
from typing import Literal, Protocol

from chatbot.engines.decoding import Decoding
from chatbot.turn import Language, Utterance
from knowledge.passages import Passage, Vectors

Kind = Literal["connect", "timeout", "dropped", "busy", "server", "protocol", "context", "refused", "empty", "failed"]
"""Why a reply failed: no connection, too late, cut off, overloaded, an error of the server's own, not understood, too
long a prompt, a request (or a reply) that the server rejects, no text at all, anything else.
"""


class EngineFailed(Exception):
    """The engine could not write the reply; `retryable` says whether another try may succeed."""

    def __init__(self, message: str, *, retryable: bool, kind: Kind = "failed") -> None:
        super().__init__(message)
        self.retryable, self.kind = retryable, kind


@dataclass(frozen=True, eq=False)
class Prompt:
    """What a reply is written from. All text is masked; `history` is oldest first and ends before `question`.

    `question_vector` has shape (dimension,) and is L2-normalised; `passages` are best first, and a citation `[n]` in
    the reply means `passages[n - 1]`. `persona` is the site's manner of speaking, never a source of facts. `earlier` is
    what was said before `history`, in short. After `deadline`, on the monotonic clock, the reply is of no use.
    """

    question: str
    question_vector: Vectors = field(repr=False)
    passages: tuple[Passage, ...]
    language: Language
    history: tuple[Utterance, ...] = ()
    persona: str = ""
    earlier: str = ""
    decoding: Decoding = field(default_factory=Decoding)
    deadline: float = math.inf


class Draft(Iterator[str]):
    """A reply being written: its text deltas, none empty, and who writes it. Closing it frees the engine.

    `writer` ("name:model"), `degraded` (a better engine was down or full) and `bounded` (the engine keeps to a few
    sentences by itself) are certain from the first delta on; `cut` (there was no room for the end) and the tokens when
    it has ended, as far as the engine tells them.
    """

    def __init__(
        self,
        engine: "Engine",
        write: "Callable[[Draft], Generator[str, None, None]]",
        *,
        degraded: bool = False,
        bounded: bool = False,
    ) -> None:
        self.writer, self.prompt_version = f"{engine.name}:{engine.model}", engine.prompt_version
        self.degraded, self.bounded, self.cut = degraded, bounded, False
        self.prompt_tokens = self.reply_tokens = 0
        self._deltas = write(self)

    def __next__(self) -> str:
        return next(self._deltas)

    def close(self) -> None:
        """End the reply here."""
        self._deltas.close()


class Engine(Protocol):
    """Writes replies. One instance serves many threads."""

    name: str
    model: str
    prompt_version: str

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Draft:
        """Writes the reply; the draft ends soon after `cancelled()` is true, and raises `EngineFailed`."""
        ...

    def close(self) -> None:
        """Frees what the engine holds; it is not used afterwards."""
        ...
