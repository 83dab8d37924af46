"""What an engine is given holds no personal data: neither the question, nor what was said before, nor the profile."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chatbot import answering
from chatbot.events import EventLog
from chatbot.models import Conversation
from chatbot.profiles import store_profile
from chatbot.pulse import Pulse
from guardrails.personal_data.detector import Detector
from tests.chatbot.conftest import MASTER_KEY
from tests.chatbot.test_pipeline import Stage
from tests.fakes import FakeQueue, FakeSearch
from tests.integration.planting import Garden, Leaks


class EchoingSearch(FakeSearch):
    """Finds the same for every question, and says what was asked as the real one does."""

    def __call__(self, question: str, base: str, **options: Any) -> Any:
        return replace(super().__call__(question, base, **options), question=question)


pytestmark = pytest.mark.django_db(transaction=True)


def test_no_prompt_holds_what_was_planted(
    say: Callable[..., Any], chat: Conversation, log: EventLog, queue: FakeQueue
) -> None:
    garden, find, stage = Garden(), Detector().find, Stage()
    stage.search = EchoingSearch(stage.found)
    profile = garden.plants_for("profile")
    store_profile(chat, tuple((plant.entity, plant.text) for plant in profile), find=find, master_key=MASTER_KEY)
    pulse = Pulse(log)
    for plant in garden.plants_for("message", "How long do returns take? {}"):
        message = say(plant.text, find=find)
        answered = answering.answer_turn(
            message.id,
            answer=stage.assistant().answer,
            log=log,
            pulse=pulse,
            enqueue=queue,
            seconds=60,
            guard_version="g1",
        )
        assert answered
    prompts = [repr((prompt.question, prompt.history, prompt.persona)) for prompt in stage.engine.prompts]
    assert len(prompts) == len(garden.plants) / 2, "every message reached the engine"
    assert "<CN_MOBILE_2>" in stage.engine.prompts[1].question, "after the profile's"
    leaks = Leaks(garden.plants)
    leaks.look(("prompt", str(number), prompt.encode()) for number, prompt in enumerate(prompts))
    assert not leaks.of("message"), leaks.table()
    assert not leaks.of("profile"), leaks.table()
