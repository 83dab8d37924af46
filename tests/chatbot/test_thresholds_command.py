"""`manage.py thresholds`: from people's decisions to levels that hold, and back; nothing of it by itself."""

import json
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from chatbot.models import Conversation, Message, Review
from guardrails.levels import Levels, services
from guardrails.models import LevelChange

pytestmark = pytest.mark.django_db

Decided = Callable[..., None]
SHIPPED = services.shipped("toxicity")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    def call(*words: object, given: list[dict[str, Any]] | str = "") -> list[dict[str, Any]]:
        lines = given if isinstance(given, str) else "".join(json.dumps(row) + "\n" for row in given)
        (tmp_path / "given").write_text(lines)
        with (tmp_path / "given").open() as file:
            monkeypatch.setattr(sys, "stdin", file)
            call_command("thresholds", *map(str, words))
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    return call


@pytest.fixture
def decided(chat: Conversation) -> Decided:
    """Have so many texts at this height in the tier's band decided."""

    def add(number: int, height: float, decision: str, tier: str = "classifier", **more: Any) -> None:
        task = services.shipped("injection" if tier == "injection" else "toxicity")
        for _ in range(number):
            Review.objects.create(
                conversation=chat,
                reply=Message.objects.create(conversation=chat, role=Message.Role.BOT),
                direction=Review.Direction.IN,
                tier=tier,
                score=task.review + height * (task.block - task.review),
                deadline=timezone.now(),
                decision=decision,
                **{"decided": timezone.now(), **more},
            )

    return add


@pytest.fixture
def enough(decided: Decided) -> None:
    """Harmless below, bad above."""
    decided(30, 0.05, "approved")
    decided(15, 0.8, "rejected")
    decided(10, 0.7, "edited")


def test_nothing_is_suggested_from_a_few_decisions(run: Any, decided: Decided) -> None:
    with pytest.raises(CommandError, match="toxicity: 0 decisions; 50 are needed; injection: 0 decisions"):
        run("suggest")
    decided(49, 0.05, "approved")
    for decision in ("", "expired", "moot"):  # nobody has decided these
        decided(20, 0.05, decision)
    decided(20, 0.05, "approved", overtaken=True)
    decided(20, 0.05, "approved", tier="lexicon")
    with pytest.raises(CommandError, match="toxicity: 49 decisions"):
        run("suggest")


def test_a_suggestion_says_what_it_would_have_changed_and_changes_nothing(
    run: Any, enough: None, capsys: pytest.CaptureFixture[str]
) -> None:
    (row,) = run("suggest")
    assert (row["task"], row["version"], row["spared"], row["missed"]) == ("toxicity", 0, 30, 0)
    assert row["now"] == row["shipped"] == {"review": round(SHIPPED.review, 3), "block": round(SHIPPED.block, 3)}
    assert row["review"] > SHIPPED.review
    assert row["before"]["precision"] == round(25 / 55, 3)
    assert row["after"]["precision"] == 1
    assert (row["after"]["passed"], row["after"]["passed_bad"]) == (30, 0)
    assert services.load() == Levels()


def test_what_was_suggested_can_be_applied_and_taken_back(run: Any, enough: None) -> None:
    suggested = run("suggest")
    (applied,) = run("apply", "--why", "the queue is harmless", given=suggested)
    assert applied["version"] == 1
    assert services.load().thresholds["toxicity"].review == suggested[0]["review"]
    first, *_ = run("history")
    assert (first["action"], first["version"], first["why"]) == ("apply", 1, "the queue is harmless")
    assert first["evidence"]["toxicity"]["spared"] == 30
    assert first["by"]
    assert run("rollback", 0, "--why", "a test") == [{"version": 0, "live": {}}]
    assert services.load() == Levels()
    assert [row["action"] for row in run("history")] == ["rollback", "apply"]


def test_a_suggestion_is_not_applied_twice(run: Any, enough: None) -> None:
    suggested = run("suggest")
    run("apply", "--why", "first", given=suggested)
    with pytest.raises(CommandError, match="suggested for version 0, but 1 is live"):
        run("apply", "--why", "again", given=suggested)
    assert LevelChange.objects.count() == 1


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"task": "grounding"}, "'task' is not one of toxicity, injection"),
        ({"task": "injection"}, "injection: 0 decisions"),
        ({"version": 7}, "suggested for version 7"),
        ({"review": "0.7"}, "not both numbers"),
        ({"block": None}, "not both numbers"),
        ({"review": True}, "not both numbers"),
        ({"review": SHIPPED.review + 0.06}, "more than a step"),
        ({"block": 0.99}, "outside of"),
    ],
)
def test_a_line_that_does_not_hold_is_not_applied(run: Any, enough: None, changed: dict[str, Any], says: str) -> None:
    suggested = run("suggest")
    with pytest.raises(CommandError, match=says):
        run("apply", "--why", "test", given=[suggested[0] | changed])
    assert not LevelChange.objects.exists()


def test_levels_that_would_let_rejected_texts_pass_are_not_applied(run: Any, decided: Decided, enough: None) -> None:
    (row,) = run("suggest")
    decided(2, 0.02, "rejected")
    with pytest.raises(CommandError, match="2 of 27 rejected texts would pass"):
        run("apply", "--why", "test", given=[row])


@pytest.mark.parametrize("given", ["", "\n", "no json\n", "[1]\n"])
def test_nothing_is_applied_of_lines_that_cannot_be_read(run: Any, given: str) -> None:
    with pytest.raises(CommandError, match=r"no lines|not valid JSON|not a JSON object"):
        run("apply", "--why", "test", given=given)


def test_decisions_may_be_counted_from_a_day_on(run: Any, decided: Decided) -> None:
    decided(60, 0.05, "approved", decided=timezone.now() - timedelta(days=30))
    assert len(run("suggest")) == 1
    with pytest.raises(CommandError, match="0 decisions"):
        run("suggest", "--since", (timezone.now() - timedelta(days=2)).date())
    with pytest.raises(CommandError, match="not a day"):
        run("suggest", "--since", "yesterday")
