import numpy as np
import pytest

from knowledge.index import Entry, Index
from knowledge.language import language_of
from knowledge.passages import Passage, Vectors
from knowledge.ranking import READ, Ranking, parallel, rank
from knowledge.terms import search_terms

AXES = np.eye(8, dtype=np.float32)
NOTHING = Ranking(*[0.0] * 9)


def entry(text: str, vector: Vectors, *, question: str = "", heading: str = "", sentences: int = 0) -> Entry:
    """A chunk whose text, title and first sentence have that vector, and whose other sentences have the next axis."""
    vectors = np.stack([vector, *[np.roll(vector, 1)] * (sentences - 1)]) if sentences else np.empty((0, 8), np.float32)
    passage = Passage(1, "d", "r", heading, text, question, language_of(question + text), (), vectors)
    return Entry(passage, vector, vector[None, :] if question or heading else np.empty((0, 8), np.float32))


def ranked_texts(entries: list[Entry], asked: str, vector: Vectors, **weights: float) -> list[str]:
    index = Index(entries, version=1, dimension=8)
    ranking = Ranking(**{**NOTHING.__dict__, **weights})
    found = index.find(vector, search_terms(asked))
    return [one.passage.text for one in rank(index, found, asked, vector, ranking, parallel(index))]


@pytest.mark.parametrize(
    ("weight", "best"),
    [("text", "plain"), ("question", "asked"), ("heading", "headed"), ("sentence", "said"), ("words", "words alone")],
)
def test_each_weight_counts_what_it_names(weight: str, best: str) -> None:
    lesser = (0.6 * AXES[0] + 0.8 * AXES[1]).astype(np.float32)
    entries = [
        entry("plain", AXES[0]),
        entry("asked", lesser, question="q"),
        entry("headed", lesser, heading="h"),
        entry("said", lesser, sentences=2),
        entry("words alone", AXES[5]),
    ]
    vector = {"sentence": np.roll(lesser, 1)}.get(weight, lesser if weight in ("question", "heading") else AXES[0])
    asked = "words alone" if weight == "words" else "zzz"
    assert ranked_texts(entries, asked, vector, **{weight: 1.0})[0] == best


def test_a_notion_counts_in_whichever_words_or_language() -> None:
    entries = [entry("The postage is 8 yuan.", AXES[0]), entry("We open at nine.", AXES[0])]
    assert ranked_texts(entries, "邮费多少", AXES[1], notions=1.0)[0] == "The postage is 8 yuan."


def test_of_two_translations_the_one_asked_for_has_the_better_score_of_both() -> None:
    entries = [
        entry("The fee is 20 yuan", AXES[0]),
        entry("运费是20元", AXES[0]),
        entry("Open daily", AXES[1]),
        entry("每天营业", AXES[1]),
    ]
    assert ranked_texts(entries, "fee", AXES[0], text=1.0, words=1.0) == ["The fee is 20 yuan", "Open daily"]
    assert ranked_texts(entries, "20 yuan 运费要多少呢", AXES[0], text=1.0, words=1.0) == ["运费是20元", "每天营业"]


def test_no_more_passages_are_read_than_needed() -> None:
    entries = [entry(f"same words {number}", AXES[number % 8]) for number in range(3 * READ)]
    assert len(ranked_texts(entries, "same words", AXES[0], text=1.0)) == READ


def test_nothing_found_is_nothing_ranked() -> None:
    assert ranked_texts([], "anything", AXES[0]) == []


def test_passages_of_a_language_that_is_nearer_anyway_must_be_nearer_still() -> None:
    kin = [entry(f"帐篷{number}", AXES[0]) for number in range(20)]
    others = [entry(f"tent {number}", AXES[1]) for number in range(20)]
    vector = (0.8 * AXES[0] + 0.6 * AXES[1]).astype(np.float32)
    texts = ranked_texts([*kin, *others], "帐篷", vector, text=1.0)
    assert all(text.startswith("帐篷") for text in texts[:20])
    texts = ranked_texts([*kin, *others], "帐篷", vector, text=1.0, own_nearer=-2.0)
    assert all(text.startswith("tent") for text in texts[:20])
    assert ranked_texts(kin, "帐篷", vector, text=1.0) == ranked_texts(kin, "帐篷", vector, text=1.0, own_nearer=-2.0)


def test_what_a_question_has_in_common_with_a_language_does_not_make_it_more_answerable() -> None:
    entries = [*(entry(f"帐篷{number}", AXES[0]) for number in range(20)), entry("tent", AXES[1])]
    index = Index(entries, version=1, dimension=8)
    found = index.find(AXES[0], [])
    plain, moved = (
        rank(index, found, "帐篷", AXES[0], Ranking(**{**NOTHING.__dict__, "text": 1.0, "own_nearer": weight}), 0.0)
        for weight in (0.0, -0.5)
    )
    assert moved[0].score < plain[0].score == plain[0].steady == pytest.approx(moved[0].steady)
