import logging
import threading
import time
from collections.abc import Callable

import pytest

from guardrails.lexicon import Lexicon, LiveLexicon, Word, WordList
from tests.patience import PATIENCE


class Lists:
    """Lists that change when told to; `broken` makes the next loads fail."""

    def __init__(self) -> None:
        self.number, self.loads, self.broken = 1, 0, False

    def newest(self) -> int:
        return self.number

    def load(self, before: Lexicon | None) -> Lexicon:
        if self.broken:
            raise OSError("disk")
        self.loads += 1
        return Lexicon([Word(f"word{self.number}", "block", "test")])


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        threading.Event().wait(0.005)


@pytest.fixture
def lists() -> Lists:
    return Lists()


def test_a_change_is_seen_by_a_thread_of_its_own_and_nothing_else_loads(lists: Lists) -> None:
    live = LiveLexicon(lists.load, lists.newest, every=0.01)
    first = live()
    assert live() is first
    assert lists.loads == 1
    lists.number = 2
    until(lambda: live() is not first)
    assert live().judge("word2").action == "block"
    assert live().judge("word1").action == "pass"
    live.stop()


def test_a_list_that_cannot_be_read_leaves_the_one_before(lists: Lists, caplog: pytest.LogCaptureFixture) -> None:
    heard: list[str] = []
    live = LiveLexicon(lists.load, lists.newest, every=60, report=heard.append)
    first = live()
    lists.number, lists.broken = 2, True
    with caplog.at_level(logging.ERROR):
        live.refresh()
    assert live() is first
    assert "OSError" in caplog.text
    lists.broken = False
    live.refresh()
    live.refresh()
    assert live() is not first
    assert heard == ["failed", "loaded"]
    live.stop()


def test_the_first_load_that_fails_is_told_to_the_caller_and_tried_again(lists: Lists) -> None:
    live = LiveLexicon(lists.load, lists.newest, every=60)
    lists.broken = True
    with pytest.raises(OSError, match="disk"):
        live()
    lists.broken = False
    assert live().judge("word1").action == "block"
    live.stop()


def test_many_threads_get_one_first_lexicon(lists: Lists) -> None:
    live = LiveLexicon(lists.load, lists.newest, every=60)
    got: list[Lexicon] = []
    threads = [threading.Thread(target=lambda: got.append(live())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(each) for each in got}) == 1
    assert lists.loads == 1
    live.stop()


def test_after_many_edits_the_lexicon_is_built_anew_while_edits_go_on() -> None:
    states = [WordList("own", tuple(Word(f"word{n}", "block", "test") for n in range(last))) for last in (5, 8, 9)]
    at = 0

    def load(before: Lexicon | None) -> Lexicon:
        return Lexicon.of([states[at]], before)

    live = LiveLexicon(load, lambda: at + 1, every=60, fold=3)
    assert live().edits == 0
    for at in (1, 2):
        live.refresh()
        assert live().judge(f"word{6 + at}").action == "block"
    until(lambda: live().edits <= 1)
    assert live().version == Lexicon.of([states[2]]).version
    live.stop()
