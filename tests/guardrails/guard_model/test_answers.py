"""What a guard model says, as a verdict: the tables."""

import pytest

from guardrails.guard_model.answers import (
    GuardModelError,
    Kind,
    NoVerdict,
    kinds_of,
    read_answer,
    read_labels,
    verdict_of,
)


@pytest.mark.parametrize(
    ("answer", "action", "categories"),
    [
        ("Safety: Safe\nCategories: None", "pass", ()),
        ("Safety: Safe\nCategories: None\nRefusal: No", "pass", ()),
        ("\n Safety: Safe \n Categories: None \n Refusal: Yes \n", "pass", ()),
        ("<think>\n\n</think>\n\nSafety: Safe\nCategories: None", "pass", ()),
        ("Safety: Unsafe\nCategories: Violent", "block", ("violent",)),
        ("Safety: Unsafe\nCategories: Violent.", "block", ("violent",)),
        ("Safety: Unsafe\nCategories: PII, Jailbreak", "block", ("pii", "jailbreak")),
        ("Safety: Unsafe\nCategories: PII,PII,Suicide & Self-Harm", "block", ("pii", "suicide_self_harm")),
        ("Safety: Unsafe\nCategories: Non-violent Illegal Acts\nRefusal: No", "block", ("non_violent_illegal_acts",)),
        ("Safety: Unsafe\nCategories: None", "block", ("unsafe",)),
        (
            "Safety: Controversial\nCategories: Politically Sensitive Topics",
            "review",
            ("politically_sensitive_topics",),
        ),
        ("Safety: Controversial\nCategories: None", "review", ("controversial",)),
    ],
)
def test_a_written_answer_is_read(answer: str, action: str, categories: tuple[str, ...]) -> None:
    verdict = read_answer(answer)
    assert (verdict.action, verdict.tier) == (action, None if action == "pass" else "model")
    assert verdict.categories == categories


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "Safe",
        "Safety: Safe",
        "Safety: Safe\nCategories:",
        "Safety: safe\nCategories: None",
        "Safety: Safer\nCategories: None",
        "Safety: Safe Categories: None",
        "Safety: Safe\nCategories: Violent",
        "Safety: Unsafe\nCategories: Rudeness",
        "Safety: Unsafe\nCategories: Violent, Rudeness",
        "Safety: Unsafe\nCategories: Violent, None",
        "Safety: Safe\nCategories: None\nSafety: Unsafe\nCategories: Violent",
        "Safety: Safe\nCategories: None\nRefusal: Perhaps",
        "I think:\nSafety: Safe\nCategories: None",
        "Safety: Safe\nCategories: None\nHave a nice day!",
        "<think>It asks for … Safety: Safe\nCategories: None</think>",
        "Safety: Unsafe\nCategories: " + "Violent, " * 9,
    ],
)
def test_an_answer_in_any_other_form_is_no_verdict(answer: str) -> None:
    with pytest.raises(NoVerdict):
        read_answer(answer)


@pytest.mark.parametrize(
    ("labels", "given", "kinds"),
    [
        (["safe", "offensive"], "", ("safe", "offensive")),
        (["INJECTION", "SAFE"], "", ("injection", "safe")),
        (["non-toxic", "toxic"], "", ("safe", "offensive")),
        (["BENIGN", "Prompt-Injection", "JAILBREAK"], "", ("safe", "injection", "injection")),
        (["LABEL_0", "LABEL_1"], "LABEL_0=safe, LABEL_1=injection", ("safe", "injection")),
        (["safe", "unsafe"], "unsafe=injection", ("safe", "injection")),
        (["toxic", "insult", "threat"], "threat=offensive", ("offensive",) * 3),
    ],
)
def test_labels_mean_what_is_said_or_what_their_names_say(
    labels: list[str], given: str, kinds: tuple[Kind, ...]
) -> None:
    assert kinds_of(labels, read_labels(given)) == kinds


@pytest.mark.parametrize(
    ("labels", "given", "says"),
    [
        (["LABEL_0", "LABEL_1"], "", "mean .*: LABEL_0, LABEL_1"),
        (["LABEL_0", "LABEL_1"], "LABEL_0=safe", "mean .*: LABEL_1"),
        (["safe", "toxic"], "rude=offensive", "no labels rude"),
        (["safe", "neutral"], "", "are safe"),
        (["safe", "toxic"], "toxic", "'toxic' is not LABEL=KIND"),
        (["safe", "toxic"], "toxic=bad", "'toxic=bad' is not"),
        (["safe", "toxic"], "=safe", "'=safe' is not"),
    ],
)
def test_labels_that_mean_nothing_are_refused(labels: list[str], given: str, says: str) -> None:
    with pytest.raises(GuardModelError, match=says):
        kinds_of(labels, read_labels(given))


@pytest.mark.parametrize(
    ("row", "exclusive", "action", "category"),
    [
        ((0.9, 0.06, 0.04), True, "pass", None),
        ((0.45, 0.30, 0.25), True, "pass", None),
        ((0.3, 0.6, 0.1), True, "review", "toxicity"),
        ((0.05, 0.0, 0.95), True, "block", "injection"),
        ((0.99, 0.95, 0.2), False, "block", "toxicity"),
        ((0.99, 0.2, 0.2), False, "pass", None),
    ],
)
def test_a_classifiers_probabilities_are_weighed(
    row: tuple[float, ...], exclusive: bool, action: str, category: str | None
) -> None:
    verdict = verdict_of(row, ("safe", "offensive", "injection"), exclusive)
    assert (verdict.action, verdict.categories) == (action, (category,) if category else ())


def test_labels_of_one_kind_count_together_only_if_one_of_them_must_be_right() -> None:
    kinds: tuple[Kind, ...] = ("safe", "offensive", "offensive")
    assert verdict_of((0.04, 0.48, 0.48), kinds).action == "block"
    assert verdict_of((0.04, 0.48, 0.48), kinds, exclusive=False).action == "pass"


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.5, 2.0])
def test_what_is_no_probability_is_no_verdict(bad: float) -> None:
    with pytest.raises(NoVerdict):
        verdict_of((0.5, bad), ("safe", "offensive"))
