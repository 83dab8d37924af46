import pytest

from knowledge.terms import bigrams, codes, content_words, fold, search_terms, words


def test_width_case_and_script_do_not_matter() -> None:
    assert fold("ＰＰＲ－９０８７ 退貨 Refund") == "ppr-9087 退货 refund"


def test_lone_surrogates_and_nul_are_folded_too() -> None:
    assert fold("a\ud800b") == "a?b"
    assert words(fold("a\x00b")) == ["a", "b"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("PPR-9087 多少钱", ["ppr9087"]),
        ("ppr 9087", []),
        ("型号KF200好用吗", ["kf200"]),
        ("order ab/12_34", ["ab1234"]),
        ("within 7 days, 24h, A4 paper, COVID", []),
    ],
)
def test_codes_are_found_whole_and_nothing_else_is(text: str, found: list[str]) -> None:
    assert codes(fold(text)) == found


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PPR-9087", "ppr 9087"),
        ("退貨運費", "退货运费"),
        ("returns", "return"),
        ("怎么退货", "如何退货"),
        ("KF200", "kf-200"),
    ],
)
def test_different_spellings_share_a_term(one: str, other: str) -> None:
    assert set(search_terms(one)) & set(search_terms(other))


def test_bigrams_join_what_segmentation_parts() -> None:
    assert bigrams("退货 款") == ["退货", "款"]
    assert bigrams("退货款") == ["退货", "货款"]


def test_negation_and_numbers_are_content_and_politeness_is_not() -> None:
    assert content_words("请问7天内不能退吗") == content_words("7天内不能退")
    assert content_words("7天内能退") != content_words("7天内不能退")
    assert content_words("Can you please ship it?") == content_words("ship")
    assert content_words("Do you not ship?") != content_words("Do you ship?")
