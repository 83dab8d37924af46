import numpy as np
import pytest

from knowledge.golden import Golden, Report, Result, examine
from knowledge.passages import Passage, Retrieved


def found(*documents: str, answerable: bool = True, text: str = "Within ７ days.") -> Retrieved:
    vectors = np.zeros((0, 4), np.float32)
    passages = tuple(Passage(n, name, "", "", text, "", "en", (), vectors) for n, name in enumerate(documents))
    return Retrieved("", np.zeros(4, np.float32), passages, answerable, 0.9 if answerable else 0.1, False, 1)


ANSWERED, REFUSED = found("a.md", "b.md", "c.md", "d.md"), found("a.md", answerable=False)
TABLE = {
    "answered": (Golden("q"), ANSWERED, ""),
    "answered from the document": (Golden("q", document="c.md"), ANSWERED, ""),
    "from another document": (Golden("q", document="e.md"), ANSWERED, "document"),
    "the document comes too late": (Golden("q", document="d.md"), ANSWERED, "document"),
    "not answered": (Golden("q"), REFUSED, "refused"),
    "with its facts, whatever width and spaces": (Golden("q", facts=("within 7days",)), ANSWERED, ""),
    "one fact is missing": (Golden("q", facts=("7 days", "unworn")), ANSWERED, "facts"),
    "rightly refused": (Golden("q", answered=False), REFUSED, ""),
    "answered what must not be": (Golden("q", answered=False), ANSWERED, "answered"),
}


@pytest.mark.parametrize(("golden", "retrieved", "why"), TABLE.values(), ids=TABLE.keys())
def test_a_question_is_treated_right_or_it_is_said_what_is_wrong(
    golden: Golden, retrieved: Retrieved, why: str
) -> None:
    [result] = examine([golden], lambda _: retrieved, lambda r: r.passages[0].text)
    assert (result.why, result.right) == (why, not why)


def result(name: str, right: bool) -> Result:
    return Result(name, name, right, "" if right else "refused", right, 0.5, ())


def test_lost_is_what_was_right_and_gained_what_was_wrong() -> None:
    results = tuple(
        result(name, name in ("kept", "gained", "new right"))
        for name in ("kept", "gained", "lost", "still wrong", "new right", "new wrong")
    )
    report = Report(results, {"kept": True, "gained": False, "lost": True, "still wrong": False})
    assert [one.key for one in report.lost] == ["lost"]
    assert [one.key for one in report.gained] == ["gained"]
    assert [row["was_right"] for row in report.rows()] == [True, False, True, False, None, None]


def test_what_decides_changes_the_key() -> None:
    keys = [Golden("q"), Golden("q", False), Golden("q", document="a"), Golden("q", facts=("1",)), Golden("r")]
    assert len({one.key for one in keys}) == len(keys)
