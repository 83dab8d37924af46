"""An edited lexicon must judge as one that is built of the same lists anew: the tables and the property of that."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guardrails.lexicon import Level, Lexicon, Word, WordList
from guardrails.lexicon.patterns import Beginnings
from guardrails.lexicon.words import IMPORTED
from guardrails.normalizer import ALL, context

TEXTS = (
    "自杀",
    "大麻",
    "大妈",
    "kill",
    "kill yourself",
    "a$$hat",
    "ass",
    "God",
    "good",
    "法轮功",
    "k粉",
    "强奸",
    "8964",
)
PHRASES = ("大麻烦", "大麻烦人", "kill the process", "KILL the process", "亲自杀鱼")
LEVELS: tuple[Level, ...] = ("block", "review", "count")
SAID = st.lists(
    st.sampled_from(
        (
            *TEXTS,
            *PHRASES,
            "自沙",
            "zisha",
            "大ma",
            "ki1l",
            "弓虽女干",
            "k1ll",
            "f.",
            "，",
            " ",
            "烦",
            "y",
            "o",
            "人",
            "a",
            "大",
        )
    ),
    max_size=8,
).map("".join)
WORDS = st.builds(Word, st.sampled_from(TEXTS), st.sampled_from(LEVELS), st.sampled_from(("a", "b")))
STATES = st.lists(
    st.tuples(
        st.lists(WORDS, max_size=8).map(tuple),
        st.lists(st.sampled_from(PHRASES), max_size=4).map(tuple),
        st.lists(WORDS, max_size=3).map(tuple),
    ),
    min_size=2,
    max_size=5,
)


def lists(state: tuple[tuple[Word, ...], tuple[str, ...], tuple[Word, ...]]) -> list[WordList]:
    words, allow, others = state
    return [WordList("own", words, allow, ALL), WordList("other", others, (), IMPORTED)]


@given(STATES, SAID, SAID)
@settings(max_examples=200, deadline=None)
def test_any_sequence_of_edits_judges_and_holds_back_as_a_lexicon_built_anew(
    states: list[tuple[tuple[Word, ...], tuple[str, ...], tuple[Word, ...]]], before: str, after: str
) -> None:
    edited: Lexicon | None = None
    for state in states:
        edited = Lexicon.of(lists(state), edited)
        anew = Lexicon.of(lists(state))
        for text in (before, before + after, context(before) + after):
            assert edited.match(text) == anew.match(text)
            assert edited.match(text, unfinished=True) == anew.match(text, unfinished=True)
            assert edited.held_back(text) == anew.held_back(text)
        assert (len(edited), edited.version) == (len(anew), anew.version)


def test_an_edit_keeps_the_large_automaton_and_a_rebuild_forgets_the_edits() -> None:
    words = tuple(Word(f"word{number}x", "block", "test") for number in range(3_000))
    first = Lexicon.of([WordList("own", words)])
    second = Lexicon.of([WordList("own", (*words[1:], Word("другое", "block", "test")))], first)
    (_, before), (_, after) = first._built[0], second._built[0]
    assert after._index._automata[0] is before._index._automata[0]
    assert second.edits == 2
    assert [second.judge(text).action for text in ("word0x", "word1x", "другое")] == ["pass", "block", "block"]
    assert first.judge("word0x").action == "block"
    assert second.rebuilt().edits == 0
    assert second.rebuilt().version == second.version
    assert second.rebuilt(second.rebuilt()).match("word1x") == second.match("word1x")


def test_a_word_that_comes_back_is_found_once() -> None:
    word = Word("kill", "block", "violence")
    with_it, without = WordList("own", (word,)), WordList("own", ())
    lexicon: Lexicon | None = None
    for each in (with_it, without, with_it, without, with_it):
        lexicon = Lexicon.of([each], lexicon)
    assert lexicon is not None
    assert len(lexicon.match("kill")) == 1


def test_of_two_writings_of_an_allowed_phrase_one_may_go() -> None:
    word = Word("kill", "block", "violence")
    both = Lexicon.of([WordList("own", (word,), ("kill the process", "Kill the process"))])
    one = Lexicon.of([WordList("own", (word,), ("Kill the process",))], both)
    assert one.judge("kill the process").action == "pass"
    assert Lexicon.of([WordList("own", (word,))], one).judge("kill the process").action == "block"


@pytest.mark.parametrize("steps", [[["abc"], ["abc", "abd"], ["abd"], [], ["b"]], [["a", "abcd"], ["a"], ["a", "xy"]]])
def test_beginnings_follow_edits(steps: list[list[str]]) -> None:
    beginnings = Beginnings(steps[0])
    for old, new in pairwise(steps):
        beginnings = beginnings.edited(set(old) - set(new), set(new) - set(old))
        anew = Beginnings(new)
        assert beginnings.longest == anew.longest
        for letters in ("", "a", "ab", "abc", "abcd", "b", "x", "xyz"):
            assert beginnings.begin(letters) == anew.begin(letters)
            assert beginnings.begin(letters, longer=True) == anew.begin(letters, longer=True)
            assert (letters in beginnings) == (letters in anew)
            assert beginnings.begin_with_one_of(frozenset(letters)) == anew.begin_with_one_of(frozenset(letters))
