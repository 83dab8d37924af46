"""Questions that nobody could answer, put together where they ask the same. Knows nothing of where they come from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.passages import Vectors

SAME = 0.225
"""Greatest cosine distance between two questions of a group. Adjusted Rand index .87 on the half of StackFAQ's queries
that it was chosen on, .86 on the other (`python -m bench.gaps`)."""
MOST = 5_000
"""Questions that are compared at once: every one with every other, 100 MB."""


@dataclass(frozen=True)
class Unanswered:
    """A question, masked, with the ids of its message and conversation."""

    text: str
    message: str
    conversation: str


@dataclass(frozen=True)
class Group:
    """Questions alike; the first is nearest to all the others. `conversations` counts each once."""

    questions: tuple[Unanswered, ...]

    @property
    def conversations(self) -> int:
        """How many conversations asked it."""
        return len({one.conversation for one in self.questions})


def group(questions: Sequence[Unanswered], vectors: Vectors, *, distance: float = SAME) -> list[Group]:
    """Group at most MOST questions, those of most conversations first; `vectors` (n, dimension) are L2-normalised.

    Complete linkage: no two questions of a group are farther apart than `distance`, so that a chain of near questions
    does not join what has nothing in common. Raises ValueError for more.
    """
    if len(questions) > MOST:
        raise ValueError(f"at most {MOST} questions at once")
    from scipy.cluster.hierarchy import fcluster, linkage  # 40 MB, which web has no use for

    if len(questions) < 2:
        return [Group(tuple(questions))] if questions else []
    labels = fcluster(linkage(vectors, "complete", metric="cosine"), distance, "distance")
    groups = []
    for label in np.unique(labels):
        rows = np.flatnonzero(labels == label)
        nearest = rows[np.argsort(-(vectors[rows] @ vectors[rows].mean(0)), kind="stable")]
        groups.append(Group(tuple(questions[row] for row in nearest)))
    return sorted(groups, key=lambda one: (-one.conversations, -len(one.questions), one.questions[0].text))
