import pytest

from guardrails.personal_data.recognizers.us_ssn import UsSsn
from tests.guardrails.recognizers.support import found

FOUND = [
    ("my SSN is 219-09-9999.", "219-09-9999"),
    ("SSN: 219 09 9999", "219 09 9999"),
    ("social security number 219099999", "219099999"),
    ("社会安全号219-09-9999吗", "219-09-9999"),
    ("SSN: 123_45_6789", "123_45_6789"),
]
LEFT = [
    "219099999",
    "000-12-3456",
    "666-12-3456",
    "900-12-3456",
    "219-00-9999",
    "219-09-0000",
    "219-09-99991",
    "219-09-9999-1",
    "2024-05-18",
    "SKU A219-09-9999",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_an_ssn_whatever_it_touches(text: str, value: str) -> None:
    assert found(UsSsn(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_an_ssn(text: str) -> None:
    assert found(UsSsn(), text) == []
