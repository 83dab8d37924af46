"""The opening fits the mood and comes once; nothing is said twice; no fact of the reply changes."""

import re
from collections.abc import Callable, Generator, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.engines import Draft, Prompt
from chatbot.engines.extractive import ExtractiveEngine
from chatbot.shaping import (
    MOST,
    MOST_BRIEF,
    MOST_ELSE,
    UNTIL_CITED,
    UNTIL_FIRST_CITED,
    Manner,
    Shaped,
    manner_of,
    moods_of,
)
from chatbot.turn import Language, Utterance
from chatbot.wording import SENTENCES
from guardrails.units import Coming, split_units
from tests.chatbot.engine_prompts import ask, passage
from understanding.sentiment.trend import Trend

STEADY, WORSE = Trend(), Trend("worsening", -0.6)
OFFER = Trend("steady", -0.5, "offer", "anger")


@pytest.mark.parametrize(
    ("sentiment", "trend", "said", "persona", "tone", "opening"),
    [
        ("neutral", STEADY, (), "", "plain", ""),
        ("neutral", WORSE, ("A.",), "", "plain", ""),
        ("negative", STEADY, (), "", "sorry", "opening.sorry.1"),
        ("negative", WORSE, (), "", "sorry", "opening.sorry.1"),
        ("negative", WORSE, ("Our answer.",), "", "sorry", "opening.sorry_again.1"),
        ("negative", STEADY, (), "brief and formal", "sorry", "opening.sorry.1"),
        ("positive", STEADY, (), "", "glad", "opening.glad.1"),
        ("positive", STEADY, (), "You are friendly.", "glad", "opening.glad.1"),
        ("positive", STEADY, (), "Speak in a formal manner.", "glad", ""),
        ("positive", STEADY, (), "语气简洁", "glad", ""),
    ],
)
def test_the_opening_fits_the_mood(
    sentiment: str, trend: Trend, said: tuple[str, ...], persona: str, tone: str, opening: str
) -> None:
    manner = manner_of("shipping", sentiment, trend, "en", said, persona)
    assert (manner.tone, manner.opening) == (tone, opening)


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("sentiment", ["negative", "positive"])
def test_no_opening_comes_twice_in_a_conversation(language: Language, sentiment: str) -> None:
    said: list[str] = []
    openings = []
    for _ in range(5):
        code = manner_of("other", sentiment, STEADY, language, said).opening
        openings.append(code)
        said.append((SENTENCES[code][language] if code else "") + "An answer [1].")
    assert len({code for code in openings if code}) == 3
    assert openings[3:] == ["", ""]


def test_a_person_is_offered_when_the_trend_says_so_and_each_time_in_other_words() -> None:
    assert manner_of("shipping", "negative", STEADY, "en", ()).closing == ""
    first = manner_of("shipping", "negative", OFFER, "en", ()).closing
    again = manner_of("shipping", "negative", OFFER, "en", (SENTENCES[first]["en"],)).closing
    assert (first, again) == ("closing.person.1", "closing.person.2")


def test_how_long_a_reply_may_be_is_for_the_intent_and_the_persona_to_say() -> None:
    assert manner_of("order_status", "neutral", STEADY, "en", ()).sentences == MOST["order_status"]
    assert manner_of("anything", "neutral", STEADY, "en", ()).sentences == MOST_ELSE
    assert manner_of("anything", "neutral", STEADY, "zh", (), "回答要简短").sentences == MOST_BRIEF


def test_the_moods_are_those_of_the_customers_messages_and_know_what_was_answered() -> None:
    history = [
        Utterance("customer", "Hello"),
        Utterance("bot", SENTENCES["greeting"]["en"]),
        Utterance("customer", "The lamp is broken"),
        Utterance("bot", "Send it back [1]."),
        Utterance("customer", "How awful"),
        Utterance("agent", "I am here."),
    ]
    moods = moods_of(history, "This is outrageous, awful", lambda texts: [_judged(text) for text in texts])
    assert [(mood.label, mood.after_answer, mood.angry) for mood in moods] == [
        ("neutral", False, False),
        ("neutral", False, False),
        ("negative", True, False),
        ("negative", False, True),
    ]


@pytest.mark.parametrize(
    ("text", "outcome", "answered"),
    [
        ("Send it back [1].", "answered", True),
        ("Send it back.", "faq", True),
        ("Send it back.", "", True),
        ("Welcome to our little shop!", "chitchat", False),
        ("I may not speak of that.", "refused", False),
        ("A colleague is coming.", "handed_off", False),
        (SENTENCES["thanks_goodbye"]["zh"], "", False),
        (SENTENCES["refused"]["en"], "", False),
        (SENTENCES["handed_off.no_answer"]["en"], "", False),
    ],
)
def test_only_an_answer_counts_as_one(text: str, outcome: str, answered: bool) -> None:
    moods = moods_of(
        [Utterance("customer", "Hi"), Utterance("bot", text, outcome)],
        "awful",
        lambda texts: [_judged(one) for one in texts],
    )
    assert moods[-1].after_answer == answered


def _judged(text: str) -> tuple[str, float]:
    return ("negative" if "awful" in text else "neutral"), 0.9


def shaped(text: str, said: tuple[str, ...] = (), sentences: int = 9, *, whole: bool = False) -> tuple[str, str]:
    reply = Shaped((text[at : at + 3] for at in range(0, len(text), 3)), manner(sentences), said, whole=whole)
    return told(reply), reply.opening


def told(reply: Shaped) -> str:
    return "".join(unit for unit in reply if not isinstance(unit, Coming))


def manner(sentences: int) -> Manner:
    return Manner("glad", "opening.glad.1", "opening.again.1", "", sentences)


@pytest.mark.parametrize(
    ("said", "text", "left"),
    [
        (("It costs 5 euros [1].",), "Parcels take two days [2]. It costs 5 euros [1].", "Parcels take two days [2]. "),
        (("运费五元。",), "包裹两天到[1]。运费五元[2]。周日不送[3]。", "包裹两天到[1]。周日不送[3]。"),
        # a number makes another sentence
        (("It costs 5 euros [1].",), "Parcels take two days [2]. It costs 50 euros [1].", None),
        (("It costs 1.5 euros.",), "Parcels take two days [2]. It costs 15 euros [1].", None),
        # what follows speaks of it
        (("Express costs 9 euros.",), "We ship daily [1]. Express costs 9 euros [2]. It takes a day [2].", None),
        # it bears the citation of the one before
        (("Sundays are free.",), "We ship on weekdays. Sundays are free [1].", None),
        (("Yes.",), "We ship. Yes.", None),
        # nothing else bears a citation: all that was asked for would be left out
        (
            ("You can return shoes within 30 days. Keep the box.",),
            "Sure, I can help you with that. You can return shoes within 30 days. Keep the box.",
            None,
        ),
        (("Returns take 30 days [1].",), "Sure, I can help. Returns take 30 days [1].", None),
        (("退货期三十天。请保留包装。",), "好的，很高兴为您解答。退货期三十天[1]。请保留包装。还有别的问题吗？", None),
        (
            ("Returns take 30 days [1].",),
            "Sure. Returns take 30 days. Refunds take three [2].",
            "Sure. Refunds take three [2].",
        ),
    ],
)
def test_what_was_said_before_is_left_out_where_nothing_needs_it(
    said: tuple[str, ...], text: str, left: str | None
) -> None:
    assert shaped(text, said) == (text if left is None else left, "opening.glad.1")


@pytest.mark.parametrize("whole", [False, True])
def test_a_reply_that_begins_with_what_was_said_before_says_so(whole: bool) -> None:
    text = "We ship within two days [1]. Sundays are free [2]."
    assert shaped(text, ("Hello! We ship within two days [1].",), whole=whole) == (text, "opening.again.1")


def test_an_upset_customer_hears_an_apology_and_not_that_it_was_said_before() -> None:
    manner = manner_of("other", "negative", STEADY, "en", ("We ship in two days.",))
    reply = Shaped(("We ship in two days [1].",), manner, ("We ship in two days.",))
    assert (told(reply), reply.opening) == ("We ship in two days [1].", "opening.sorry.1")


def test_the_opening_is_certain_when_the_first_unit_comes() -> None:
    reply = Shaped(
        iter(["We ship ", "within two days [1]. ", "Sundays are free [2]."]), manner(9), ("We ship within two days.",)
    )
    assert next(unit for unit in reply if not isinstance(unit, Coming)) == "We ship within two days [1]. "
    assert reply.opening == "opening.again.1"


@pytest.mark.parametrize(
    ("sentences", "left"),
    [
        (1, "One is here [1]. "),
        (2, "One is here [1]. Two is here. Three is here [2]. "),
        (3, "One is here [1]. Two is here. Three is here [2]. "),
        (9, "One is here [1]. Two is here. Three is here [2]. Four is here [3]."),
    ],
)
def test_a_reply_ends_with_its_budget_where_a_citation_stands(sentences: int, left: str) -> None:
    text = "One is here [1]. Two is here. Three is here [2]. Four is here [3]."
    assert shaped(text, sentences=sentences)[0] == left
    assert shaped(text, sentences=sentences, whole=True)[0] == text


def test_after_a_citation_a_reply_ends_a_little_later_without_another() -> None:
    assert shaped("So it is [1]. " + "A b c. " * 9, sentences=2)[0] == "So it is [1]. " + "A b c. " * (1 + UNTIL_CITED)


def test_without_any_citation_a_reply_goes_on_until_there_is_one_but_not_for_ever() -> None:
    late = "A b c. " * 7 + "So it is [1]. "
    assert shaped(late + "And on.", sentences=2)[0] == late
    assert shaped("A b c. " * 99, sentences=2)[0] == "A b c. " * (2 + UNTIL_FIRST_CITED)


@pytest.mark.parametrize(
    "text",
    [
        "重量：一公斤；运费：五元；时效：两天；包装：纸盒[1]。¦另外一句。",
        "重量：一公斤[1]；运费：五元[1]；时效：两天[1]。¦另外一句。",
        "先看重量[1]。¦再看运费：\n- 五元。\n- 十元。\n\n完。",
        "So it is done:\n1. Open it [1].\n2. Close it [1].\n3. Send it [1].\n\n¦That is all.",
        "So it is done. Like this [1].\n- Open it. Wide.\n  Slowly.\n- Close it.\n¦That is all.",
        "So it is.\n| Size | Days |\n| Small. Yes. | 3 [1]. |\n| Large. | 4 |\n¦That is all.",
        "It is for all; the one [1]; the other [2]; a third [3]. ¦And on.",
        "So it is [1].\n¦12.50 euros is no item.",
        "So it is [1]. ¦" + "very " * 50 + "[2] " + "long " * 50 + "here. And on [2]. And on.",
        "So it is. " + "long " * 50 + "[2] " + "long " * 50 + "here. And on. ¦And off.",
    ],
)
def test_a_reply_ends_neither_in_a_list_nor_in_a_row_nor_in_a_sentence(text: str) -> None:
    """The bar shows where it ends."""
    before, _, after = text.partition("¦")
    assert shaped(before + after, sentences=1)[0] == before


def test_an_engine_that_keeps_itself_short_is_not_shortened() -> None:
    prompt = ask(
        "How long does a refund take?",
        passage("A refund takes three days."),
        passage("How long a refund takes is for your bank to say."),
    )
    whole = "".join(ExtractiveEngine().stream(prompt, lambda: False))
    assert "[1]" in whole
    assert "[2]" in whole
    assert told(Shaped(ExtractiveEngine().stream(prompt, lambda: False), manner(1), ())) == whole


class Broken:
    """Says this, then says that there was no room for the rest."""

    name = model = prompt_version = "broken"

    def __init__(self, text: str, *, cut: bool) -> None:
        self._text, self._cut = text, cut

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Draft:
        def write(draft: Draft) -> Generator[str, None, None]:
            yield from self._text
            draft.cut = self._cut

        return Draft(self, write)

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("It takes three days [1]. In May it ta", "It takes three days [1]. "),
        ("包邮[1]。但是偏远地", "包邮[1]。"),
        ("- Open it [1]\n- Clo", "- Open it [1]\n"),
        ("It takes three days [1]. That is all.", None),
        ("It takes three da", None),
        ("It takes three days. Four in May [1], but", None),  # else there would be no source
        ("Do it like this:\n- Open", None),
    ],
)
def test_half_a_sentence_at_the_end_is_left_out_when_the_engine_had_no_room_for_the_rest(
    text: str, left: str | None
) -> None:
    def reply(*, cut: bool, whole: bool = False) -> str:
        draft = Broken(text, cut=cut).stream(ask("How?"), lambda: False)
        return told(Shaped(draft, manner(9), (), whole=whole))

    assert reply(cut=True) == (text if left is None else left)
    assert reply(cut=False) == reply(cut=True, whole=True) == text


@pytest.mark.parametrize("end", ["budget", "closed"])
def test_the_engine_is_freed_when_the_reply_ends_early(end: str) -> None:
    freed = []

    def deltas() -> Iterator[str]:
        try:
            while True:
                yield "One is here [1]. "
        finally:
            freed.append(True)

    reply = Shaped(deltas(), manner(2), ())
    if end == "budget":
        assert told(reply) == "One is here [1]. " * 2
    else:
        next(reply)
        reply.close()
    assert freed == [True]


FACTS = re.compile(r"<[A-Z]+_\d+>|https?://\S+|\[\d+\]|\d+(?:[.,:/-]\d+)*")
PIECES = st.sampled_from(
    [
        "运费是12.50元[1]。",
        "请在2026-11-22之前退货[2]。",
        "It costs 1,299 euros [1]. ",
        "Call <PHONE_1> or <EMAIL_2>. ",
        "See https://shop.example/a?b=1.5 for more [3]. ",
        "地址是<ADDRESS_1>，门牌18号。",
        "That is at 10:30 [2]! ",
        "1. Open it.\n",
        "- 第二步[4]\n",
        "Yes. ",
        "",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=9), st.lists(PIECES, max_size=4), st.integers(1, 6), st.integers(1, 40), st.booleans())
def test_numbers_dates_addresses_placeholders_and_citations_stay_as_they_are(
    pieces: list[str], said: list[str], sentences: int, size: int, whole: bool
) -> None:
    text = "".join(pieces)
    deltas = (text[at : at + size] for at in range(0, len(text), size))
    reply = told(Shaped(deltas, manner(sentences), said, whole=whole))
    units = list(split_units((text,)))
    kept = iter(units)
    assert all(unit in kept for unit in split_units((reply,))), "units of the reply, in order, none changed"
    if whole:
        assert reply == text
    elif units:
        assert reply.startswith(units[0])
    facts = iter(FACTS.findall(text))
    assert all(fact in facts for fact in FACTS.findall(reply))
