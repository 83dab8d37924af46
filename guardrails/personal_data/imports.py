"""Keeps torch out of a process that masks: thinc and Presidio import it when installed, and never use it here."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from types import ModuleType

_HEAVY = frozenset({"torch", "transformers", "tensorflow", "cupy", "stanza", "gliner"})


class _Refusal(MetaPathFinder):
    """Says that the heavy modules are not installed."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None) -> None:
        """Raise ImportError for a heavy module, leave the others to the next finder."""
        if fullname.partition(".")[0] in _HEAVY:
            raise ModuleNotFoundError(f"{fullname} is kept out of masking", name=fullname)


@contextmanager
def without_torch() -> Iterator[None]:
    """Within the block an import of torch, or of what would load it, fails as if it were not installed."""
    refusal = _Refusal()
    sys.meta_path.insert(0, refusal)
    try:
        yield
    finally:
        sys.meta_path.remove(refusal)
