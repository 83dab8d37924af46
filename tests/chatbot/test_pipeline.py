"""The path of one message with fakes around it: real release and screening, a word list of two words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.engines import EngineFailed
from chatbot.engines.decoding import decoding_for
from chatbot.engines.extractive import ExtractiveEngine
from chatbot.engines.ladder import Ladder, Rung
from chatbot.pipeline import Assistant
from chatbot.turn import Conclusion, Interruption, Language, Part, Progress, Turn, TurnEvent, Utterance
from guardrails.release import Check, Release, Released
from guardrails.screening import screen_message
from guardrails.verdict import PASS, Verdict
from knowledge.batching import BatcherFull
from knowledge.errors import BaseMissing, VectorsMissing
from knowledge.filters import Filters
from knowledge.passages import Retrieved
from tests.fakes import FakeEngine, FakeSearch, lexicon, passage, released, retrieved, understanding
from understanding.intents.routing import Behaviour

RETURNS = passage("Returns take seven days.", chunk_id=7)
SHIPPING = passage("Shipping is free.", chunk_id=8, document="shipping.md")


def say(code: str, language: Language, *, after: bool = False, before: bool = False) -> tuple[Released, ...]:
    """The bot's own sentence as `{code in language}`, after a blank line where it follows other text."""
    return released("\n\n" * after + f"{{{code} in {language}}}" + " " * before)


@dataclass
class Stage:
    """An assistant with its fakes, and what one turn yielded."""

    engine: FakeEngine = field(default_factory=lambda: FakeEngine("Seven days [1]. "))
    found: Retrieved = field(default_factory=lambda: retrieved(RETURNS, SHIPPING))
    interrupted: Callable[[], Interruption] = lambda: ""
    checks: tuple[Check, ...] = ()

    def __post_init__(self) -> None:
        self.search = FakeSearch(self.found)
        self.understand = understanding()

    def assistant(self) -> Assistant:
        words = lexicon()
        return Assistant(
            screen=lambda text: screen_message(text, words),
            understand=self.understand,
            search=self.search,
            engine=self.engine,
            release=Release(lambda: words, self.checks),
            say=say,
        )

    def play(
        self, text: str = "How long do returns take?", language: Language = "en", *said: Utterance
    ) -> list[TurnEvent]:
        return list(self.assistant().answer(Turn(text, language, said), "shop", self.interrupted))

    def conclude(
        self, text: str = "How long do returns take?", language: Language = "en", *said: Utterance
    ) -> Conclusion:
        return concluded(self.play(text, language, *said))


def concluded(events: list[TurnEvent]) -> Conclusion:
    assert [isinstance(event, Conclusion) for event in events] == [False] * (len(events) - 1) + [True]
    assert isinstance(events[-1], Conclusion)
    return events[-1]


def text_of(conclusion: Conclusion) -> str:
    return "".join(unit.text for unit in conclusion.units)


def parts(events: list[TurnEvent]) -> str:
    return "".join(event.unit.text for event in events if isinstance(event, Part))


def test_an_answer_is_searched_written_shown_and_sourced() -> None:
    stage = Stage(FakeEngine("Returns take ", "seven days [1]. ", "Shipping is free [2]."))
    events = stage.play()
    assert [e.stage for e in events if isinstance(e, Progress)] == ["searching", "writing"]
    assert parts(events) == "Returns take seven days [1]. Shipping is free [2]."
    end = concluded(events)
    assert (end.outcome, end.reason, text_of(end)) == ("answered", "", parts(events))
    assert [(s.number, s.document, s.ref) for s in end.sources] == [(1, "returns.md", "r7"), (2, "shipping.md", "r8")]
    assert stage.search.asked == [("How long do returns take?", "shop")]
    assert stage.engine.prompts[0].passages == (RETURNS, SHIPPING)


def unsure(unit: str, _evidence: Sequence[str], /) -> Verdict:
    """Sure of what speaks of seven days alone."""
    return PASS if "seven" in unit else Verdict("pass", "grounding", ("unsupported",), 0.6)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("How long do returns take? Within a week, I think.", "handed_off"),
        ("1\nHow long do returns take?", "handed_off"),
        ("Within a week [1].", "answered"),
        ("Of course. Returns take seven days.", "answered"),
        ("Returns take seven days. Have a nice day!", "answered"),
    ],
)
def test_a_reply_that_cites_nothing_and_of_which_the_guards_are_unsure_is_no_answer(reply: str, outcome: str) -> None:
    stage = Stage(FakeEngine(*reply), checks=(unsure,))
    events = stage.play()
    end = concluded(events)
    assert parts(events) == reply
    assert end.outcome == outcome
    if outcome == "handed_off":
        assert (end.reason, text_of(end), end.sources) == ("no_answer", "{handed_off.no_answer in en}", ())
        assert end.record.verdicts[-1] == Verdict("pass", "grounding", ("unsupported",), 0.6)


def test_an_faqs_own_words_need_no_citation_and_a_stopped_reply_stays_as_it_is() -> None:
    faq = passage("Within a week.", chunk_id=9, question="How long do returns take?")
    assert Stage(found=retrieved(faq, exact=True), checks=(unsure,)).conclude().outcome == "faq"
    stopped = Stage(FakeEngine("Within a week. ", "Or two."), checks=(unsure,), interrupted=lambda: "stopped")
    assert stopped.conclude().reason == "stopped"


def test_the_engine_is_told_the_sites_manner_of_speaking() -> None:
    stage = Stage()
    assistant = stage.assistant()
    list(assistant.answer(Turn("How long?", "en", persona="Your name is Pine."), "shop", lambda: ""))
    list(assistant.answer(Turn("How long?", "en"), "shop", lambda: ""))
    assert [prompt.persona for prompt in stage.engine.prompts] == ["Your name is Pine.", ""]


def test_the_engine_is_told_how_to_choose_its_words_and_until_when() -> None:
    stage = Stage()
    list(stage.assistant().answer(Turn("How long?", "en", deadline=7.0), "shop", lambda: ""))
    [prompt] = stage.engine.prompts
    assert (prompt.decoding, prompt.deadline) == (decoding_for(Behaviour().temperature, 0.8), 7.0)


def test_a_reply_of_a_lesser_engine_says_so_and_is_recorded() -> None:
    stage = Stage()
    stage.engine.degraded = True
    end = stage.conclude()
    assert text_of(end) == "Seven days [1]. \n\n{degraded in en}"
    assert (end.record.degraded, end.record.reply_tokens, len(end.sources)) == (True, 1, 1)


def test_the_record_names_the_rung_that_wrote() -> None:
    broken = FakeEngine(EngineFailed("down", retryable=True))
    ladder = Ladder([Rung(broken), Rung(ExtractiveEngine())])
    stage = Stage()
    assistant = replace(stage.assistant(), engine=ladder)
    end = concluded(list(assistant.answer(Turn("How long do returns take?", "en"), "shop", lambda: "")))
    assert (end.outcome, end.record.engine, end.record.degraded) == ("answered", "extractive:", True)
    assert end.sources


def test_the_record_says_why() -> None:
    record = Stage().conclude().record
    assert (record.intent, record.question) == ("other", "How long do returns take?")
    assert (record.engine, record.prompt_version, record.knowledge_version) == ("fake:none", "v1", 3)
    assert (record.confidence, record.passages) == (0.8, ((7, 0.9), (8, 0.9)))
    assert record.verdicts[0] == PASS
    assert set(record.milliseconds) == {"screen", "understand", "cache", "search", "write"}


@pytest.mark.parametrize(
    ("text", "outcome", "reason", "said"),
    [
        ("you badword, how long do returns take?", "refused", "message_block", "{refused in en}"),
        ("tell me of riskword", "review", "message_review", "{handed_off.review in en}"),
        ("riskword and badword", "refused", "message_block", "{refused in en}"),
    ],
)
def test_a_message_that_does_not_pass_reaches_neither_search_nor_engine(
    text: str, outcome: str, reason: str, said: str
) -> None:
    stage = Stage()
    events = stage.play(text)
    end = concluded(events)
    assert len(events) == 1
    assert (end.outcome, end.reason, text_of(end), end.sources) == (outcome, reason, said, ())
    assert end.record.verdicts[0].action != "pass"
    assert stage.search.asked == stage.engine.prompts == []


@pytest.mark.parametrize(
    ("text", "language", "outcome", "reason", "said"),
    [
        ("hello", "en", "chitchat", "greeting", "{greeting in en}"),
        ("你好！", "zh", "chitchat", "greeting", "{greeting in zh}"),
        ("thank you!", "en", "chitchat", "thanks_goodbye", "{thanks_goodbye in en}"),
        ("I want to talk to a human", "en", "handed_off", "requested", "{handed_off.requested in en}"),
        ("转人工", "zh", "handed_off", "requested", "{handed_off.requested in zh}"),
    ],
)
def test_small_talk_and_requests_for_a_person_need_no_search(
    text: str, language: Language, outcome: str, reason: str, said: str
) -> None:
    stage = Stage()
    end = stage.conclude(text, language)
    assert (end.outcome, end.reason, text_of(end)) == (outcome, reason, said)
    assert stage.search.asked == stage.engine.prompts == []


def test_a_greeting_before_a_question_is_not_searched_for() -> None:
    stage = Stage()
    stage.play("Hello! How long do returns take?")
    assert stage.search.asked == [("How long do returns take?", "shop")]


def test_a_follow_up_is_searched_for_with_what_the_customer_asked_before() -> None:
    stage = Stage()
    end = stage.conclude(
        "What about to Canada?", "en", Utterance("customer", "How much is shipping?"), Utterance("bot", "It is free.")
    )
    assert stage.search.asked == [("How much is shipping? What about to Canada?", "shop")]
    assert end.record.question == "How much is shipping? What about to Canada?"


def test_without_an_answer_in_the_documents_a_person_takes_over() -> None:
    stage = Stage(found=retrieved(RETURNS, answerable=False))
    end = stage.conclude("Do you sell cars?")
    assert (end.outcome, end.reason, text_of(end)) == ("handed_off", "no_answer", "{handed_off.no_answer in en}")
    assert end.record.confidence == 0.1
    assert stage.engine.prompts == []


def test_an_empty_base_has_no_answer() -> None:
    assert Stage(found=retrieved(answerable=False)).conclude().reason == "no_answer"


def test_an_faq_is_answered_in_its_own_words_without_the_engine() -> None:
    faq = passage("Seven days, from the day of delivery.", question="How long do returns take?")
    stage = Stage(found=retrieved(faq, SHIPPING, exact=True))
    end = stage.conclude()
    assert (end.outcome, text_of(end)) == ("faq", faq.text)
    assert [(s.number, s.heading) for s in end.sources] == [(1, "How long do returns take?")]
    assert end.record.engine == ""
    assert stage.engine.prompts == []


@pytest.mark.parametrize(("exact", "stages"), [(True, ["searching", "checking"]), (False, ["searching", "writing"])])
def test_the_customer_sees_what_is_being_done(exact: bool, stages: list[str]) -> None:
    faq = passage("Seven days, from the day of delivery.", question="How long do returns take?")
    events = Stage(found=retrieved(faq, exact=exact)).play()
    assert [event.stage for event in events if isinstance(event, Progress)] == stages


def test_an_faq_passes_release_like_any_other_text() -> None:
    faq = passage("Only a badword asks that.", question="How long do returns take?")
    end = Stage(found=retrieved(faq, exact=True)).conclude()
    assert (end.outcome, text_of(end), end.sources) == ("refused", "{refused in en}", ())


def test_a_block_in_mid_stream_replaces_what_was_shown_and_ends_the_engine() -> None:
    stage = Stage(FakeEngine("Returns take seven days. ", "You bad", "word. ", "And more. ", "Much more. "))
    events = stage.play()
    assert parts(events) == "Returns take seven days. "
    end = concluded(events)
    assert (end.outcome, end.reason, text_of(end), end.sources) == ("refused", "reply_block", "{refused in en}", ())
    assert end.record.verdicts[-1].action == "block"
    assert stage.engine.closed
    assert "Much more. " not in stage.engine.said


def test_a_review_keeps_the_safe_beginning_and_withholds_the_rest() -> None:
    stage = Stage(FakeEngine("Returns take seven days [1]. ", "As riskword says. ", "And more. "))
    events = stage.play()
    end = concluded(events)
    assert (end.outcome, end.reason) == ("review", "reply_review")
    assert text_of(end) == "Returns take seven days [1]. \n\n{handed_off.review in en}"
    assert parts(events) == "Returns take seven days [1]. "
    assert stage.engine.closed
    assert (end.held, [source.number for source in end.sources]) == ("As riskword says. ", [1])
    assert "riskword" not in repr(end)


def test_of_an_faqs_own_words_all_that_is_left_is_held_for_the_reviewer() -> None:
    faq = passage("Seven days. As riskword says. More [1].", question="How long do returns take?")
    end = Stage(found=retrieved(faq, exact=True)).conclude()
    assert (end.outcome, text_of(end)) == ("review", "Seven days. \n\n{handed_off.review in en}")
    assert end.held == "As riskword says. More [1]."


@pytest.mark.parametrize(
    ("text", "outcome"), [("How long, riskword?", "answered"), ("How long, riskword and badword?", "refused")]
)
def test_what_a_person_lets_pass_is_not_stopped_for_review_but_blocked_all_the_same(text: str, outcome: str) -> None:
    turn = Turn(text, "en", approved=True)
    assert concluded(list(Stage().assistant().answer(turn, "shop", lambda: ""))).outcome == outcome


@pytest.mark.parametrize("deltas", [(), ("Returns take seven days. ",)])
def test_an_engine_that_fails_hands_over(deltas: tuple[str, ...]) -> None:
    end = Stage(FakeEngine(*deltas, EngineFailed("no memory", retryable=True))).conclude()
    assert (end.outcome, end.reason, text_of(end)) == (
        "handed_off",
        "engine_failed",
        "{handed_off.engine_failed in en}",
    )
    assert end.sources == ()


@pytest.mark.parametrize("deltas", [(), (" ", "\n")])
def test_an_engine_that_has_nothing_to_say_hands_over(deltas: tuple[str, ...]) -> None:
    end = Stage(FakeEngine(*deltas)).conclude()
    assert (end.outcome, end.reason, text_of(end)) == ("handed_off", "no_answer", "{handed_off.no_answer in en}")


@dataclass
class Switch:
    """Interrupts once it is thrown."""

    reason: Interruption = ""

    def __call__(self) -> Interruption:
        return self.reason

    def throw(self, reason: Interruption) -> Callable[[], None]:
        def thrown() -> None:
            self.reason = reason

        return thrown


def test_stop_keeps_what_was_shown_and_frees_the_engine() -> None:
    switch = Switch()
    stage = Stage(
        FakeEngine("Returns take seven days [1]. ", "Or ", switch.throw("stopped"), "more. "), interrupted=switch
    )
    events = stage.play()
    end = concluded(events)
    assert (end.outcome, end.reason) == ("answered", "stopped")
    assert text_of(end) == parts(events)
    assert text_of(end).startswith("Returns take seven days [1]. ")
    assert "more" not in text_of(end)
    assert [s.ref for s in end.sources] == ["r7"]
    assert stage.engine.closed


def test_stop_before_the_first_text_is_confirmed() -> None:
    switch = Switch()
    end = Stage(FakeEngine(switch.throw("stopped"), "Seven days."), interrupted=switch).conclude()
    assert (end.outcome, end.reason, text_of(end)) == ("answered", "stopped", "{stopped in en}")


def test_a_time_out_hands_over_in_place_of_half_an_answer() -> None:
    switch = Switch()
    stage = Stage(FakeEngine("Returns take ", "seven days. ", switch.throw("timeout"), "more. "), interrupted=switch)
    end = stage.conclude()
    assert (end.outcome, end.reason, text_of(end)) == ("handed_off", "timeout", "{handed_off.timeout in en}")
    assert end.sources == ()


def test_when_a_screen_breaks_nothing_is_answered_and_a_person_is_called() -> None:
    stage = Stage()
    broken = Assistant(
        screen=lambda text: screen_message(text, None),  # type: ignore[arg-type]
        understand=understanding(),
        search=stage.search,
        engine=stage.engine,
        release=Release(lexicon),
        say=say,
    )
    end = concluded(list(broken.answer(Turn("hi", "en"), "shop", lambda: "")))
    assert (end.outcome, end.reason) == ("handed_off", "guard_failed")
    assert stage.search.asked == []


def test_when_a_check_breaks_nothing_is_shown_and_a_person_is_called() -> None:
    def broken(unit: str, evidence: object) -> Verdict:
        raise RuntimeError("a check broke")

    stage = Stage()
    assistant = Assistant(
        screen=lambda text: screen_message(text, lexicon()),
        understand=understanding(),
        search=stage.search,
        engine=stage.engine,
        release=Release(lexicon, checks=[broken]),
        say=say,
    )
    events = list(assistant.answer(Turn("How long?", "en"), "shop", lambda: ""))
    end = concluded(events)
    assert parts(events) == ""
    assert (end.outcome, end.reason) == ("handed_off", "guard_failed")


def test_what_was_known_when_the_model_had_too_much_to_do_is_recorded() -> None:
    def full(*_: object, **__: object) -> Retrieved:
        raise BatcherFull

    stage = Stage()
    assistant = replace(stage.assistant(), search=full)
    end = concluded(list(assistant.answer(Turn("How long do returns take?", "en"), "shop", lambda: "")))
    assert (end.outcome, end.reason) == ("handed_off", "timeout")
    assert (end.record.intent, end.record.question) == ("other", "How long do returns take?")
    assert end.record.verdicts


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["Seven days. ", "bad", "word", " risk", "word ", "a", "。", "\n", "[1]", " "]), max_size=12
    )
)
def test_what_is_shown_holds_no_forbidden_word_and_the_end_begins_with_it_or_replaces_it(deltas: list[str]) -> None:
    events = Stage(FakeEngine(*deltas)).play()
    end = concluded(events)
    words = lexicon()
    for text in (parts(events), text_of(end)):
        assert words.judge(text) == PASS
    assert text_of(end)
    if end.outcome in ("answered", "review"):
        assert text_of(end).startswith(parts(events))
    else:
        assert end.outcome in ("refused", "handed_off")


@pytest.mark.parametrize("text", ["", "Thanks", "How long do returns take?"])
def test_a_turn_with_files_goes_to_a_person_before_anything_is_searched(text: str) -> None:
    stage = Stage()
    end = concluded(list(stage.assistant().answer(Turn(text, "zh", files=2), "shop", stage.interrupted)))
    assert (end.outcome, end.reason, text_of(end)) == ("handed_off", "file", "{handed_off.file in zh}")
    assert not stage.search.asked


def test_what_is_said_with_a_file_is_screened() -> None:
    stage = Stage()
    end = concluded(list(stage.assistant().answer(Turn("badword", "en", files=1), "shop", stage.interrupted)))
    assert end.outcome == "refused"


def understood(intent: str, sentiment: str = "neutral", **does: Any) -> Stage:
    """A stage whose classifier finds that intent, which leads to that."""
    stage = Stage()
    stage.understand = understanding(intent, sentiment, Behaviour(**does))
    return stage


def test_staff_words_answer_small_talk_that_only_the_classifier_knows() -> None:
    stage = understood("hours_chat", route="small_talk", replies={"en": "Lovely weather, yes."})
    end = stage.conclude("What a lovely day we have today")
    assert (end.outcome, end.reason, text_of(end)) == ("chitchat", "small_talk", "Lovely weather, yes.")
    assert stage.search.asked == []


@pytest.mark.parametrize("reply", ["", "a badword"])
def test_without_words_that_may_be_said_small_talk_gets_the_bots_own(reply: str) -> None:
    stage = understood("hours_chat", route="small_talk", replies={"en": reply})
    assert text_of(stage.conclude("What a lovely day we have today")) == "{greeting in en}"


@pytest.mark.parametrize(
    ("route", "outcome", "reason"), [("human", "handed_off", "requested"), ("refuse", "refused", "intent")]
)
def test_an_intent_may_lead_to_a_person_or_to_a_refusal(route: str, outcome: str, reason: str) -> None:
    stage = understood("spare_parts", route=route)
    stage.search.found = retrieved(answerable=False)
    end = stage.conclude()
    assert (end.outcome, end.reason, end.record.intent) == (outcome, reason, "spare_parts")


@pytest.mark.parametrize(
    ("text", "found", "outcome"),
    [
        ("What is your phone number?", retrieved(RETURNS, confidence=0.9), "answered"),
        ("What is your phone number?", retrieved(RETURNS, confidence=0.5, exact=True), "faq"),
        ("I would rather explain this by phone", retrieved(RETURNS, confidence=0.69), "handed_off"),
        ("I would rather explain this by phone", retrieved(RETURNS, confidence=0.9, answerable=False), "handed_off"),
        ("I want to talk to a human", retrieved(RETURNS, confidence=0.9, exact=True), "handed_off"),
    ],
)
def test_what_sounds_like_a_wish_for_a_person_is_answered_if_documents_surely_do_and_a_plain_wish_never(
    text: str, found: Retrieved, outcome: str
) -> None:
    stage = understood("human_agent", route="human")
    stage.search.found = found
    end = stage.conclude(text)
    assert (end.outcome, end.record.intent) == (outcome, "human_agent")
    assert end.reason == ("requested" if outcome == "handed_off" else "")


@pytest.mark.parametrize("error", [BaseMissing("none"), VectorsMissing("none")])
def test_who_wishes_for_a_person_gets_one_where_there_is_nothing_to_search(error: Exception) -> None:
    def search(question: str, base: str, *, filters: Filters | None = None) -> Retrieved:
        raise error

    stage = understood("human_agent", route="human")
    assistant = replace(stage.assistant(), search=search)
    events = list(assistant.answer(Turn("Phone me, please", "en"), "shop", lambda: ""))
    assert (concluded(events).outcome, concluded(events).reason) == ("handed_off", "requested")


def test_an_intent_narrows_the_search_to_documents_of_its_kind() -> None:
    stage = understood("shipping", filter={"kind": "shipping"})
    assert stage.conclude().outcome == "answered"
    assert stage.search.filters == {"kind": ("shipping",)}


def test_an_upset_customer_hears_an_apology_before_the_answer_and_it_is_no_part_of_what_others_get() -> None:
    events = understood("shipping", "negative").play()
    end = concluded(events)
    assert text_of(end) == "{opening.sorry.1 in en} Seven days [1]. "
    assert parts(events) == text_of(end)
    assert (end.record.sentiment, end.record.intent) == ("negative", "shipping")


def test_whom_an_answer_has_made_angry_is_handed_over_and_not_answered_again() -> None:
    stage = understood("shipping", "negative")
    said = (Utterance("customer", "How long?"), Utterance("bot", "Seven days [1]."))
    end = stage.conclude("This is ridiculous, I have had enough!!", "en", *said)
    assert (end.outcome, end.reason) == ("handed_off", "upset")
    assert stage.search.asked == []


def test_what_was_said_before_is_told_as_a_repetition() -> None:
    said = (Utterance("customer", "How long?"), Utterance("bot", "Seven days [1]."))
    assert text_of(Stage().conclude("How long do returns take?", "en", *said)).startswith("{opening.again.1 in en} ")


@pytest.mark.parametrize("error", [BatcherFull("full"), TimeoutError()])
def test_overload_hands_over_at_once(error: Exception) -> None:
    stage = Stage()

    def busy(question: str, base: str, **_: Any) -> Retrieved:
        raise error

    stage.search = busy  # type: ignore[assignment]
    end = stage.conclude()
    assert (end.outcome, end.reason) == ("handed_off", "timeout")
