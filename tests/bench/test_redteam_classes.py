import json
from pathlib import Path

import pytest

from bench.redteam_classes import FOLDER
from chatbot.redteam.cases import SUITES, load

FILES = sorted(FOLDER.glob("*.jsonl"))


def rows(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.stem))
def test_a_class_has_cases_to_stop_and_to_pass_which_are_nobody_elses(file: Path) -> None:
    mended, after = rows(file), rows(FOLDER / "written_after" / file.name)
    assert len(mended) >= 30
    texts = [row["text"] for row in (*mended, *after)]
    assert len(texts) == len(set(texts))
    assert not {case.text for case in load(list(SUITES), base="demo")} & set(texts)
    for part in (mended, after):
        assert {row["stop"] for row in part} == {True, False}
        assert all(row.keys() == {"language", "text", "stop"} for row in part)
