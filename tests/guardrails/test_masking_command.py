import json
import subprocess
import sys

import orjson
import pytest

LINES = [
    {"id": 1, "text": "我叫张伟，电话13812345678，再说一次138 1234 5678，备用13912345678"},
    {"id": "b", "text": 5},
    {"id": 3, "text": "<PERSON_1> I am Sarah Connor"},
    {"id": 4, "text": "退款多久到账"},
]


@pytest.fixture(scope="module")
def run() -> "subprocess.CompletedProcess[str]":
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in LINES) + "\nno json\n"
    command = [sys.executable, "manage.py", "mask"]
    return subprocess.run(command, input=text, capture_output=True, text=True, timeout=120, encoding="utf-8")


@pytest.mark.integration
def test_each_line_is_masked_with_numbers_of_its_own(run: "subprocess.CompletedProcess[str]") -> None:
    first, second, third, fourth, fifth = (orjson.loads(line) for line in run.stdout.splitlines())
    assert first["masked"] == "我叫<PERSON_1>，电话<CN_MOBILE_1>，再说一次<CN_MOBILE_1>，备用<CN_MOBILE_2>"
    assert first["findings"][0] == {"entity": "PERSON", "start": 2, "end": 4, "score": 0.92}
    assert second.keys() == {"id", "error"}
    assert third["masked"] == "‹PERSON-1› I am <PERSON_1>"
    assert fourth == {"id": 4, "masked": "退款多久到账", "findings": []}
    assert fifth.keys() == {"id", "error"}
    assert run.returncode == 1


@pytest.mark.integration
def test_no_raw_personal_data_goes_to_standard_error(run: "subprocess.CompletedProcess[str]") -> None:
    assert not [value for value in ("张伟", "13812345678", "Connor") if value in run.stderr]
