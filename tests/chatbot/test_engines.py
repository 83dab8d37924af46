"""What every engine shares: citations, thoughts left out, prompts cut to a budget."""

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.engines.budget import fit
from chatbot.engines.citations import cite, cited, without_markers
from chatbot.engines.thinking import without_thoughts
from chatbot.prompts import build_messages
from chatbot.turn import Utterance
from tests.chatbot.engine_prompts import ask, passage


@pytest.mark.parametrize(
    ("sentence", "with_marker"),
    [
        ("Refunds take 3 days.", "Refunds take 3 days [2]."),
        ("退款3天到账。", "退款3天到账[2]。"),
        ("退款3天到账", "退款3天到账[2]"),
        ("No stop", "No stop [2]"),
        ("We open at 9 a.m.", "We open at 9 a.m. [2]"),
        ("Really?!", "Really [2]?!"),
        ("He said “yes.”", "He said “yes.”[2]"),
        ("It costs 3.50.", "It costs 3.50 [2]."),
    ],
)
def test_a_marker_stands_before_the_final_stop(sentence: str, with_marker: str) -> None:
    assert cite(sentence, 2) == with_marker


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("A [2]. B [1]. C [2].", (1, 0)),
        ("none", ()),
        ("[0] [x] [123] [ 1 ]", ()),
        ("退款[1]。", (0,)),
        (without_markers("see [3]"), ()),
    ],
)
def test_cited_gives_positions_in_order_of_first_citation(text: str, positions: tuple[int, ...]) -> None:
    assert cited(text) == positions


@settings(max_examples=150)
@given(st.text(alphabet="ab <think>/", max_size=60), st.lists(st.integers(0, 60), max_size=8), st.booleans())
def test_thoughts_go_however_the_stream_is_cut(text: str, cuts: list[int], thinking: bool) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    deltas = [text[start:end] for start, end in pairwise(edges)]
    whole = re.sub(r"<think>.*?(</think>|$)", "", ("<think>" if thinking else "") + text, flags=re.DOTALL)
    spoken = list(without_thoughts(deltas, thinking=thinking))
    assert "".join(spoken) == whole.lstrip()
    assert all(spoken)


def test_a_thought_split_across_deltas_is_left_out() -> None:
    assert list(without_thoughts(["<thi", "nk>hm", "m</th", "ink>\n\nThree ", "days"])) == ["Three ", "days"]
    assert "".join(without_thoughts(["1 <", " 2"])) == "1 < 2"


LONG = passage("\n".join(f"Sentence number {n} says a little more about the refund." for n in range(40)))
HISTORY = tuple(Utterance("customer" if n % 2 == 0 else "bot", f"earlier words number {n}") for n in range(30))


def words(text: str) -> int:
    return len(text.split())


@pytest.mark.parametrize("tokens", [300, 400, 700, 2000])
def test_a_prompt_is_cut_to_the_budget(tokens: int) -> None:
    cut = fit(ask("How long? " * 300, LONG, LONG, history=HISTORY), tokens, words)
    assert sum(words(message["content"]) for message in build_messages(cut)) <= tokens
    assert cut.question.startswith("How long?")
    assert cut.question.rstrip().endswith("How long?")


def test_evidence_goes_before_history_and_old_history_goes_first() -> None:
    tight = fit(ask("How long?", LONG, history=HISTORY), 400, words)
    assert tight.history == ()
    assert 0 < len(tight.passages[0].sentences) < 40
    assert tight.passages[0].sentence_vectors.shape[0] == len(tight.passages[0].sentences)
    roomy = fit(ask("How long?", passage("Three days."), history=HISTORY), 300, words)
    assert roomy.passages[0].text == "Three days."
    assert 0 < len(roomy.history) < 30
    assert roomy.history[-1] == HISTORY[-1]


def test_what_fits_is_left_alone() -> None:
    prompt = ask("How long?", passage("Three days."), history=HISTORY[:2])
    cut = fit(prompt, 1000, words)
    assert (cut.question, cut.passages, cut.history) == (prompt.question, prompt.passages, prompt.history)


def test_a_long_question_keeps_its_beginning_and_its_end() -> None:
    story = "I ordered boots. " + "Then it rained. " * 500 + "How do I return them?"
    cut = fit(ask(story, passage("Three days.")), 400, words)
    assert cut.question.startswith("I ordered boots.")
    assert cut.question.endswith("How do I return them?")
    assert " … " in cut.question
    assert words(cut.question) < 120


def test_of_a_long_passage_the_sentences_around_the_best_one_stay_and_keep_their_vectors() -> None:
    lines = [f"Sentence number {n} says a little more about parcels." for n in range(60)]
    lines[40] = "Refunds of vouchers take seven weeks."
    whole = passage("\n".join(lines))
    cut = fit(ask("How long do refunds of vouchers take?", whole), 380, words).passages[0]
    texts = [sentence.text for sentence in cut.sentences]
    start = lines.index(texts[0])
    assert lines[40] in texts
    assert lines[start : start + len(texts)] == texts
    assert (cut.sentence_vectors == whole.sentence_vectors[start : start + len(texts)]).all()
    assert cut.text == " ".join(texts)


def test_what_no_longer_fits_of_the_history_is_told_in_short() -> None:
    history = (
        Utterance("customer", "Hi there. My order is A20417. It has been raining for days. Where is it?"),
        Utterance("bot", "It left our warehouse. " * 40),
        Utterance("customer", "Thanks. My number is <PHONE_1>. " + "Call me whenever you like to. " * 20),
        Utterance("customer", "Just wait. " * 80),
        Utterance("customer", "Second latest."),
        Utterance("bot", "All right."),
    )
    cut = fit(ask("How long?", passage("Three days."), history=history), 340, words)
    assert cut.history == history[-2:]
    assert cut.earlier.splitlines() == [
        "My order is A20417. Where is it?",
        "My number is <PHONE_1>.",
        "Just wait.",
    ]
    assert "A20417" in build_messages(cut)[-1]["content"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.text(alphabet="ab1? <PHONE_>。\n", max_size=200), max_size=12),
    st.text(alphabet="ab ?\n", max_size=2000),
    st.integers(200, 500),
)
def test_every_prompt_fits_whatever_was_said(said: list[str], question: str, tokens: int) -> None:
    history = tuple(Utterance("customer" if n % 2 else "bot", text) for n, text in enumerate(said))
    cut = fit(ask(question, LONG, history=history), tokens, len_in_fours)
    rules = sum(len_in_fours(message["content"]) for message in build_messages(ask("")))
    assert sum(len_in_fours(message["content"]) for message in build_messages(cut)) <= max(tokens, rules + 60)


def len_in_fours(text: str) -> int:
    return (len(text) + 3) // 4


def test_half_a_placeholder_is_not_told() -> None:
    history = (Utterance("customer", "1" * 118 + " <PHONE_1> ?"), *[Utterance("bot", "word " * 400)] * 2)
    assert "<" not in fit(ask("How long?", history=history), 400, words).earlier
