"""A figure that was measured, beside what must hold, and the table of them. Knows nothing of what is measured."""

from collections.abc import Iterable
from dataclasses import dataclass

HEAD = "| what | set | rows | figure | must hold | holds |\n| --- | --- | --- | --- | --- | --- |"


@dataclass(frozen=True)
class Figure:
    """`data` names the set and its half, `rows` counts what was measured; `holds` is None where nothing must hold."""

    what: str
    data: str
    rows: int | None
    found: str
    must: str = ""
    holds: bool | None = None

    def __str__(self) -> str:
        mark = {True: "yes", False: "NO", None: ""}[self.holds]
        rows = "" if self.rows is None else f"{self.rows:,}"
        return f"| {self.what} | {self.data} | {rows} | {self.found} | {self.must} | {mark} |"


def tell(figures: Iterable[Figure]) -> list[Figure]:
    """Print the rows as they come, without the head, and return those that do not hold."""
    short = []
    for figure in figures:
        print(figure, flush=True)
        if figure.holds is False:
            short.append(figure)
    return short
