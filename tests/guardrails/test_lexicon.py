import random
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.lexicon import Lexicon, Word, WordList
from guardrails.lexicon.words import IMPORTED, read_tables
from guardrails.lexicon.words import shipped as shipped_list
from guardrails.normalizer import Transforms
from guardrails.verdict import PASS, Verdict
from tests.patience import BOUNDED

WORDS = (
    Word("fuck", "block", "abuse"),
    Word("ass", "block", "abuse"),
    Word("god", "block", "test"),
    Word("shell", "block", "test"),
    Word("kill", "block", "violence"),
    Word("kill yourself", "block", "self_harm"),
    Word("a$$hat", "block", "abuse"),
    Word("自杀", "review", "self_harm"),
    Word("大麻", "block", "drugs"),
    Word("法轮功", "block", "test"),
    Word("妈的", "review", "abuse"),
    Word("k粉", "block", "drugs"),
    Word("8964", "block", "test"),
    Word("垃圾", "count", "profanity"),
)
ALLOW = ("大麻烦", "kill the process", "亲自杀鱼", "妈妈的")


LEXICON = Lexicon(WORDS, ALLOW)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return Lexicon(WORDS, ALLOW)


@pytest.fixture(scope="module")
def shipped() -> Lexicon:
    return Lexicon.load()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("you ass!", "ass"),
        ("ＡＳＳ", "ass"),
        ("a s s", "ass"),
        ("a.s.s.", "ass"),
        ("asssss", "ass"),
        ("fuuck", "fuck"),
        ("f\u200bu\u200bc\u200bk", "fuck"),
        ("fu-ck", "fuck"),
        ("我fuck你", "fuck"),
        ("fuck4you", "fuck"),
        ("5he1l", None),
        ("sh3ll", "shell"),
        ("a$$hat", "a$$hat"),
        ("asshat", "a$$hat"),
        ("KILL  YOURSELF", "kill yourself"),
        ("kill\nyourself", "kill yourself"),
        ("killyourself", "kill yourself"),
        ("自 杀", "自杀"),
        ("自*杀", "自杀"),
        ("想自.杀吧", "自杀"),
        ("kill your self", "kill yourself"),
        ("k.i.l.l yourself", "kill yourself"),
        ("自\n杀", "自杀"),
        ("我要亲自自杀", "自杀"),
        ("自殺", "自杀"),
        ("練法。輪。功", None),
        ("法。轮。功。", "法轮功"),
        ("法法法轮轮轮功", "法轮功"),
        ("买K粉吗", "k粉"),
        ("Ｋ 粉", "k粉"),
        ("1989 8964", "8964"),
        ("fu\u0441k", "fuck"),
        ("kiIl", "kill"),
        ("ki1l him", "kill"),
        ("法轮工力", "法轮功"),
        ("水去车仑工力", "法轮功"),
        ("珐抡攻", "法轮功"),
        ("falungong", "法轮功"),
        ("fa lun gong", "法轮功"),
        ("法lun功", "法轮功"),
        ("想自沙", "自杀"),
        ("自sha了", "自杀"),
        ("达嘛出售", "大麻"),
        # Not these.
        ("大妈来了", None),
        ("答嘛", "大麻"),
        ("字沙拉", None),
        ("da ma", None),
        ("duma fang", None),
        ("法律论功", None),
        ("发工", None),
        ("class assets grass", None),
        ("as", None),
        ("sh ell", None),
        ("来自. 杀价", None),
        ("push it. hat", None),
        ("good", None),
        ("she'll come", None),
        ("ass@", "ass"),
        ("sk粉底", None),
        ("来自。杀价", None),
        ("来自，杀价", None),
        ("自己来，杀价", None),
        ("订单189640", None),
        ("Galaxy A55", None),
        ("skill", None),
    ],
)
def test_words_are_found_through_evasion_and_not_inside_other_words(
    lexicon: Lexicon, text: str, word: str | None
) -> None:
    assert [hit.word for hit in lexicon.match(text)][:1] == ([] if word is None else [word])


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("我有大麻烦了", "pass"),
        ("我有大麻", "block"),
        ("大麻烦，还有大麻", "block"),
        ("大 麻 烦", "block"),
        ("大麻烦，达嘛", "block"),
        ("please kill the process", "pass"),
        ("please KILL THE PROCESS, then kill", "block"),
        ("亲自杀鱼", "pass"),
        ("妈妈的手机", "pass"),
        ("妈的手机", "review"),
    ],
)
def test_an_allowed_phrase_excuses_only_the_word_inside_it(lexicon: Lexicon, text: str, action: str) -> None:
    assert lexicon.judge(text).action == action


def test_the_strictest_word_decides_and_counted_words_pass(lexicon: Lexicon) -> None:
    assert lexicon.judge("真垃圾") == PASS
    assert [hit.level for hit in lexicon.match("真垃圾")] == ["count"]
    assert lexicon.judge("自杀") == Verdict("review", "lexicon", ("self_harm",), 0.5)
    assert lexicon.judge("自杀 大麻 垃圾") == Verdict("block", "lexicon", ("drugs", "self_harm"), 1.0)


@pytest.mark.parametrize(
    ("text", "span"),
    [("买大\u200b 麻吧", "大\u200b 麻"), ("ok: F u C k", "F u C k"), ("一个ｆｕuuｃｋ吧", "ｆｕuuｃｋ")],
)
def test_a_hit_leads_back_to_the_original(lexicon: Lexicon, text: str, span: str) -> None:
    hit = lexicon.match(text)[0]
    assert text[hit.start : hit.end] == span


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("我要自", 1),
        ("我要自 ", 2),
        ("我要自\u200b", 2),
        ("我要自。", 0),
        ("我要自.", 2),
        ("f.u.", 4),
        ("好的。", 0),
        ("please kill your", 9),
        ("Fine. ", 0),
        ("you fu", 2),
        ("xfu", 0),
        ("大麻", 2),
        ("f u ", 4),
        ("sh3", 3),
        ("sh3 ", 0),
        ("真垃", 0),
        ("", 0),
    ],
)
def test_what_could_become_a_word_is_held_back(lexicon: Lexicon, text: str, held: int) -> None:
    assert lexicon.held_back(text) == held


@pytest.mark.parametrize("text", ["", "。。", "\u200b", "f**", "c++", "a" + "." * 9 + "b"])
def test_a_word_of_which_nothing_remains_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="after normalising"):
        Lexicon([Word(text, "block", "test")])


def test_the_version_follows_words_levels_and_transforms() -> None:
    words = [Word("one", "block", "a"), Word("two", "review", "a")]
    same = Lexicon(words[::-1]).version
    assert Lexicon(words).version == same
    others = (Lexicon(words[:1]), Lexicon(words, ["three"]), Lexicon(words, transforms=Transforms(case=False)))
    assert len({same, *(other.version for other in others)}) == 4


@pytest.mark.parametrize("line", ["word", "word\tblock", "word\tban\tx", "\tblock\tx"])
def test_a_bad_line_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "own.tsv"
    path.write_text(f"# fine\n\n{line}\n")
    with pytest.raises(ValueError, match=r"own\.tsv, line 3"):
        Lexicon.load([path])


def test_files_and_folders_are_loaded_with_their_allow_lists(tmp_path: Path) -> None:
    (tmp_path / "own.tsv").write_text("foobar\tblock\tx\n")
    (tmp_path / "allow.tsv").write_text("foobar fighters\tallow\tx\n")
    lexicon = Lexicon.load([tmp_path])
    assert len(lexicon) == 1
    assert lexicon.judge("foobar fighters") == PASS
    assert lexicon.judge("foobar").categories == ("x",)


def test_a_line_with_choices_is_many_words_and_the_shipped_list_holds_none_twice(tmp_path: Path) -> None:
    (tmp_path / "own.tsv").write_text("(buy|sell) a (red|green) hat\tblock\ttest\n(甲|乙)丙丁\treview\ttest\n", "utf-8")
    words, _ = read_tables([tmp_path])
    expected = ["buy a red hat", "buy a green hat", "sell a red hat", "sell a green hat", "甲丙丁", "乙丙丁"]
    assert [word.text for word in words] == expected
    texts = [word.text for word in shipped_list().words]
    assert len(texts) == len(set(texts)) > 1_500
    assert not any("(" in text or "|" in text for text in texts)


def test_every_shipped_word_finds_itself(shipped: Lexicon) -> None:
    lines = (Path(__file__).parents[2] / "guardrails/wordlists/kefu.tsv").read_text(encoding="utf-8").splitlines()
    words = [line.split("\t")[0] for line in lines if not line.startswith("#")]
    assert len(words) >= 1500
    assert len(words) == len({*words})
    assert [word for word in words if word not in {hit.word for hit in shipped.match(f"a，{word}。b")}] == []


@pytest.mark.parametrize(
    "text",
    [
        "垃圾店铺，骗子！退我钱！",
        "this sucks, you are a scam and your support is garbage, what the hell",
        "送餐的路口交警拦了半小时，气死我了",
        "请问可以代开发票吗？我的账号被盗号了",
        "Is this drill on sale? My class starts at Scunthorpe, Essex.",
        "制冰机不制冰了，神仙水也是假的",
        "他妈的什么破东西，再也不买了",
        "I cut the cord, kill the process and restart",
        "一次性交易手续费是多少",
        "大妈您好，这款有大码吗，衣服掉毛，收音也不好，真是上钓了",
        "以下注意事项，以下投注意见请查收，出千元红包",
        "我的账户余额可以贷吗？价比别家高，老鼠把衣服咬破了",
        "how long can you hold a parcel for me, and which song is in the ad?",
        "Bitte schön, ça va très bien, привет",
        "好女干部，女子月半价，口语木工课程",
    ],
)
def test_angry_and_ordinary_customers_pass_the_shipped_list(shipped: Lexicon, text: str) -> None:
    assert shipped.judge(text) == PASS


@given(st.text(st.sampled_from("自杀大麻烦法轮功fuckas5$ .，。\n\u200b"), max_size=20))
@settings(max_examples=150, deadline=None)
def test_no_word_begins_before_what_is_held_back(text: str) -> None:
    lexicon = Lexicon(WORDS, ALLOW)
    for end in range(len(text)):
        settled = end - lexicon.held_back(text[:end])
        assert all(hit.end <= end or hit.start >= settled for hit in lexicon.match(text))


def test_a_long_list_builds_and_matches_in_time() -> None:
    dice = random.Random(3)
    texts = {"".join(dice.choices("天地玄黄宇宙洪荒日月盈昃辰宿列张", k=dice.randint(4, 7))) for _ in range(20_000)}
    start = time.process_time()
    lexicon = Lexicon(Word(text, "block", "test") for text in texts)
    assert len(lexicon) == len(texts)
    assert time.process_time() - start < BOUNDED
    text = "您好，订单已经发货 on Monday。" * 10
    start = time.process_time()
    for _ in range(50):
        lexicon.match(text[:200])
    assert (time.process_time() - start) / 50 < 0.002


def test_evil_text_is_matched_in_bounded_time(lexicon: Lexicon) -> None:
    for text in (
        "a" * 50_000,
        "as" * 25_000,
        "大麻烦" * 15_000,
        "a5" * 25_000,
        "ass " * 12_000,
        "达嘛" * 25_000,
        "木" * 50_000,
        "弓虽女干" * 12_000,
    ):
        start = time.process_time()
        lexicon.match(text)
        lexicon.held_back(text)
        assert time.process_time() - start < BOUNDED


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("c0c41n3", "cocaine"),
        ("any c0c41n3, please", "cocaine"),
        ("4mph3t4m1n3", "amphetamine"),
        ("m4k3 4 b0mb", "make a bomb"),
        ("how t0 m4k3 4 b0mb n0w", "make a bomb"),
        ("b0mb m4k1n6", "bomb making"),
        ("make 4 bombs", None),
        ("make 4 b0mb", None),
        ("cocain3", None),
        ("c0c41n33333", None),
        ("C0FF33 costs 4 B0NU5 points", None),
    ],
)
def test_in_a_token_with_digits_between_its_letters_those_at_its_edges_are_letters_too(
    text: str, word: str | None
) -> None:
    words = ("cocaine", "amphetamine", "make a bomb", "bomb making")
    lexicon = Lexicon(Word(each, "block", "test") for each in words)
    assert [hit.word for hit in lexicon.match(text)] == ([word] if word else [])


@given(st.lists(st.sampled_from(("4mph3t", "m4k3", "b0mb", "c0c41", "n3", "x1x", "5h", *"4013makeboc,你")), max_size=9))
@settings(max_examples=150, deadline=None)
def test_no_word_in_digits_begins_before_what_is_held_back(pieces: list[str]) -> None:
    lexicon = Lexicon(
        Word(each, "block", "test") for each in ("cocaine", "make a bomb", "a bomb", "shell", "hell", "me")
    )
    for text in ("".join(pieces), " ".join(pieces)):
        for end in range(len(text)):
            settled = end - lexicon.held_back(text[:end])
            assert all(hit.end <= end or hit.start >= settled for hit in lexicon.match(text))


@pytest.mark.parametrize(
    ("off", "text"),
    [
        ("lookalikes", "fu\u0441k"),
        ("split", "法轮工力"),
        ("homophones", "珐抡攻"),
        ("pinyin", "falungong"),
        ("leetspeak", "ki1l"),
    ],
)
def test_each_transform_can_be_switched_off_for_a_list(off: str, text: str) -> None:
    words = (Word("法轮功", "block", "test"), Word("fuck", "block", "abuse"), Word("kill", "block", "violence"))
    one = WordList("one", words)
    other = WordList("other", words, (), Transforms(**{off: False}))
    assert [hit.word for hit in Lexicon.of([one]).match(text)]
    assert Lexicon.of([other]).match(text) == ()
    assert Lexicon.of([WordList("third", words, (), replace(IMPORTED, simplified=False))]).match("法輪功") == ()
    assert Lexicon.of([one, other]).match(text) == Lexicon.of([one]).match(text)


def test_lists_are_judged_together_and_share_what_they_allow() -> None:
    ours = WordList("ours", (Word("大麻", "block", "drugs", "ours"),))
    theirs = WordList("theirs", (Word("麻烦", "review", "test", "theirs"),), ("大麻烦",), IMPORTED)
    lexicon = Lexicon.of([ours, theirs])
    assert len(lexicon) == 2
    assert lexicon.judge("大麻烦") == PASS
    assert [(hit.word, hit.source) for hit in lexicon.match("大麻，麻烦")] == [("大麻", "ours"), ("麻烦", "theirs")]
    assert lexicon.version not in {Lexicon.of([ours]).version, Lexicon.of([theirs]).version}


@given(st.text(st.characters(exclude_categories=[]) | st.sampled_from("自杀沙弓虽大麻嘛zishadfucк1I$. "), max_size=40))
@settings(max_examples=150, deadline=None)
def test_any_text_is_matched_with_valid_offsets(text: str) -> None:
    for hit in LEXICON.match(text):
        assert 0 <= hit.start < hit.end <= len(text)
    assert 0 <= LEXICON.held_back(text) <= len(text)
