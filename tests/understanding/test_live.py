"""A process that follows the changes uses a model as soon as it is activated, and what its labels do."""

import pytest

from guardrails.live import Live
from tests.understanding.intents.examples import embed, utterances
from understanding import models, services, shipped
from understanding.intents.routing import Understanding

ENCODER = shipped.understanding().classifier.encoder


@pytest.mark.django_db
def test_what_is_activated_is_used_at_the_next_look(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"text": text, "label": label} for text, label in zip(*utterances(), strict=True)]
    monkeypatch.setattr(shipped, "utterances", lambda: [])
    live: Live[Understanding] = Live(lambda _: services.load(ENCODER), services.newest, every=3600)
    try:
        assert live().version == "shipped"
        services.add(rows, who="mei", source="test", make_labels=True)
        number = services.train(embed, ENCODER, who="mei").number
        live.refresh()
        assert live().version == "shipped"
        services.activate(number, ENCODER, who="mei")
        live.refresh()
        assert live().version == str(number)
        row = models.Label.objects.get(slug="bye")
        services.put_label("bye", who="mei", version=row.version, tone="warm")
        live.refresh()
        assert live()("bye please", embed(["bye please"])[0]).does.tone == "warm"
    finally:
        live.stop()
