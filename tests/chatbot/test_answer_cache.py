"""Which answers are looked for and kept, and what of them is written down."""

from dataclasses import replace

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.answer_cache import Key, Look, NoCache, Versions, answer_of, read, why_not_kept, why_not_looked, written
from chatbot.turn import Conclusion, Outcome, Record, Turn, Utterance
from tests.fakes import passage, released, retrieved

VERSIONS = Versions(knowledge="3 None", release=3, guards="g1", prompt="v1", engine="fake:none")
KEY = Key("shop", VERSIONS, "", "en")
LOOK = Look("How long do returns take?", "other", "c1", KEY)
FOUND = retrieved(passage("Returns take seven days.", chunk_id=7))
TURN = Turn("How long do returns take?", "en")


def conclusion(text: str = "Seven days [1].", outcome: Outcome = "answered", reason: str = "") -> Conclusion:
    record = Record(engine="fake:none", prompt_version="v1", milliseconds={"search": 20.0, "write": 480.0})
    return Conclusion(outcome, reason, released(text), record=record)


@pytest.mark.parametrize(
    ("turn", "question", "versions", "why"),
    [
        (TURN, "How long?", VERSIONS, ""),
        (replace(TURN, persona="Your name is Pine."), "How long?", VERSIONS, ""),
        (replace(TURN, history=(Utterance("customer", "hi"),)), "How long?", VERSIONS, "history"),
        (replace(TURN, text="Ring <CN_MOBILE_1>"), "Ring?", VERSIONS, "personal"),
        (TURN, "Ring <CN_MOBILE_1>", VERSIONS, "personal"),
        (replace(TURN, files=1), "How long?", VERSIONS, "files"),
        (replace(TURN, approved=True), "How long?", VERSIONS, "approved"),
        (TURN, " ?! ", VERSIONS, "empty"),
        (TURN, "How long?", replace(VERSIONS, knowledge=""), "knowledge"),
    ],
)
def test_only_a_question_that_is_anybodys_is_looked_up(turn: Turn, question: str, versions: Versions, why: str) -> None:
    assert why_not_looked(turn, question, versions) == why


@pytest.mark.parametrize(
    ("end", "why"),
    [
        (conclusion(), ""),
        (replace(conclusion(outcome="faq"), record=Record()), ""),
        (conclusion(outcome="handed_off", reason="no_answer"), "outcome"),
        (conclusion(outcome="refused", reason="reply_block"), "outcome"),
        (conclusion(outcome="review", reason="reply_review"), "outcome"),
        (conclusion(outcome="chitchat", reason="greeting"), "outcome"),
        (replace(conclusion(), held="the rest"), "outcome"),
        (conclusion(reason="stopped"), "interrupted"),
        (conclusion("Ring <CN_MOBILE_1>."), "personal"),
        (replace(conclusion(), record=Record(engine="extractive:")), "engine"),
    ],
)
def test_only_a_whole_answer_of_the_engine_asked_for_is_kept(end: Conclusion, why: str) -> None:
    assert why_not_kept(LOOK, FOUND, end) == why


def test_an_answer_from_another_release_than_the_one_looked_under_is_not_kept() -> None:
    assert why_not_kept(LOOK, replace(FOUND, knowledge_version=4), conclusion()) == "release"


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, base="bank"),
        replace(KEY, persona="Your name is Pine."),
        replace(KEY, language="zh"),
        replace(KEY, manner="sorry"),
        *(
            replace(KEY, versions=replace(VERSIONS, **{name: "another"}))
            for name in ("knowledge", "guards", "prompt", "engine")
        ),
    ],
)
def test_an_answer_is_found_by_its_own_key_alone(other: Key) -> None:
    assert other.digest != KEY.digest


def test_the_same_key_has_the_same_name_in_every_process() -> None:
    assert Key("shop", replace(VERSIONS), "", "en").digest == KEY.digest
    assert replace(LOOK, question="how long do returns take").name == LOOK.name
    assert replace(LOOK, question="How long do refunds take?").name != LOOK.name


@settings(max_examples=100)
@given(st.text(max_size=200), st.text(max_size=60), st.booleans(), st.booleans())
def test_what_is_written_is_read_again(text: str, question: str, exact: bool, semantic: bool) -> None:
    text, question = (one.encode("utf-8", "replace").decode() for one in (text, question))
    found = replace(FOUND, exact=exact)
    look = replace(LOOK, question=question, vector=np.asarray([0.6, -0.8], np.float32))
    kept = replace(answer_of(look, found, conclusion(), semantic=semantic), text=text)
    again = read(written(kept))
    assert again is not None
    assert (again.text, again.intent, again.seconds, again.engine) == (text, "other", 0.5, "fake:none")
    assert (again.conversation, again.prompt_version, again.found.exact) == ("c1", "v1", exact)
    [one] = again.found.passages
    assert (one.chunk_id, one.text, one.document, one.ref, one.heading) == (
        7, "Returns take seven days.", "returns.md", "r7", "Returns",
    )  # fmt: skip
    assert again.question == (question if semantic else "")
    assert (again.vector is not None) == semantic


def test_without_the_semantic_level_no_customers_words_are_kept() -> None:
    stored = written(answer_of(LOOK, FOUND, conclusion(), semantic=False))
    assert b"How long" not in stored


@pytest.mark.parametrize(
    "stored",
    [b"", b"{", b"[]", b"null", b"7", b'{"version": 1}', b"\x80\x04}", b'{"version": 2, "text": "old"}',
     orjson.dumps({**orjson.loads(written(answer_of(LOOK, FOUND, conclusion(), semantic=False))), "passages": [[1]]}),
     orjson.dumps({**orjson.loads(written(answer_of(LOOK, FOUND, conclusion(), semantic=False))), "vector": "x"})],
)  # fmt: skip
def test_what_is_no_answer_is_none(stored: bytes) -> None:
    assert read(stored) is None


def test_the_ledger_says_where_a_kept_answer_came_from() -> None:
    kept = replace(answer_of(LOOK, FOUND, conclusion(), semantic=False), level="exact")
    record = kept.record(Record(intent="other", question="How long do returns take?"))
    assert (record.engine, record.prompt_version, record.knowledge_version) == ("cache-exact:fake:none", "v1", 3)
    assert (record.confidence, record.passages) == (0.8, ((7, 0.9),))
    assert record.question == "How long do returns take?"


def test_without_a_cache_nothing_is_found() -> None:
    look = NoCache().look(TURN, "shop", "How long?", "other")
    NoCache().keep(look, FOUND, conclusion())
    assert look.answer is None
    assert look.key is None
