"""deploy.checks: what `make test` runs and in which surroundings."""

from pathlib import Path

import pytest

from deploy.checks import PARTS, environment, find_chromium


def test_a_persons_options_do_not_change_what_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_ENGINE", "transformers")
    monkeypatch.setenv("KEFU_CHROMIUM", "/usr/bin/chromium")
    variables = environment()
    assert "KEFU_ENGINE" not in variables
    assert variables["KEFU_CHROMIUM"] == "/usr/bin/chromium"


def test_the_named_chromium_comes_before_path_and_a_wrong_name_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("chromium", "mine"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_chromium("") == str(tmp_path / "chromium")
    assert find_chromium(str(tmp_path / "mine")) == str(tmp_path / "mine")
    assert find_chromium(str(tmp_path / "nowhere")) is None


def test_every_test_is_in_one_part_only() -> None:
    parts = [PARTS[name] for name in ("unit", "integration", "browser")]
    marks = [command[command.index("-m", 3) + 1] for command in parts]
    assert marks == ["not integration and not browser", "integration", "browser"]
