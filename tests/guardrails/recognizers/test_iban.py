import pytest

from guardrails.personal_data.recognizers.iban import Iban
from tests.guardrails.recognizers.support import found

FOUND = [
    ("wire to GB82 WEST 1234 5698 7654 32 please", "GB82 WEST 1234 5698 7654 32"),
    ("账号DE89370400440532013000谢谢", "DE89370400440532013000"),
    ("de89 3704 0044 0532 0130 00", "de89 3704 0044 0532 0130 00"),
    ("ＤＥ８９３７０４００４４０５３２０１３０００", "ＤＥ８９３７０４００４４０５３２０１３０００"),
    ("FR14-2004-1010-0505-0001-3M02-606", "FR14-2004-1010-0505-0001-3M02-606"),
]
LEFT = [
    "GB82 WEST 1234 5698 7654 33",
    "DE8937040044053201300",
    "XX89370400440532013000",
    "DE893704004405320130001",
    "SKU DE12 3456",
]


@pytest.mark.parametrize(("text", "value"), FOUND)
def test_finds_an_iban_whatever_it_touches(text: str, value: str) -> None:
    assert found(Iban(), text) == [value]


@pytest.mark.parametrize("text", LEFT)
def test_leaves_what_only_looks_like_an_iban(text: str) -> None:
    assert found(Iban(), text) == []
