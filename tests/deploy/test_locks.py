"""deploy.locks: two commands in one clone take turns."""

import threading
from pathlib import Path

import pytest

from deploy.locks import Held, locked
from tests.fakes import until
from tests.patience import PATIENCE


def test_a_second_holder_is_refused_and_may_come_after_the_first(tmp_path: Path) -> None:
    with locked(tmp_path / "lock", None), pytest.raises(Held), locked(tmp_path / "lock", None):
        pytest.fail("held twice")
    with locked(tmp_path / "lock", None):
        pass


def test_a_second_holder_says_that_it_waits_and_then_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entered = threading.Event()

    def second() -> None:
        with locked(tmp_path / "lock", "waiting"):
            entered.set()

    with locked(tmp_path / "lock", None):
        thread = threading.Thread(target=second)
        thread.start()
        said: list[str] = []
        until(lambda: said.append(capsys.readouterr().out) or any(said))
        assert not entered.is_set()
    assert entered.wait(PATIENCE)
    thread.join()
    assert "".join([*said, capsys.readouterr().out]) == "waiting\n"


def test_a_lock_on_an_existing_file_leaves_its_content_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("content")
    with locked(tmp_path / "file", None):
        pass
    assert (tmp_path / "file").read_text() == "content"
