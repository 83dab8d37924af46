from pathlib import Path

import numpy as np
import pytest

from chatbot.encoder import (
    ADAPTER,
    BASE,
    BOTH,
    MOOD_ADAPTER,
    SEARCH,
    mood_encoder,
    search_encoder,
    search_folder,
    with_mood,
)
from config.environment import config
from guardrails.classification.adapter import prepare
from guardrails.classification.shipped import ADAPTER as GUARD_ADAPTER
from knowledge.embedding import OnnxEmbedder, as_passage, as_query, model_id
from tests.knowledge.fakes import FakeEmbedder
from understanding.sentiment.model import SentimentModel


def test_a_message_gets_both_vectors_and_each_once() -> None:
    search, mood = FakeEmbedder(), FakeEmbedder()
    asked: list[str] = []

    def vector(text: str) -> np.ndarray:
        asked.append(text)
        return search.embed([as_query(text)])[0]

    embed = with_mood(vector, mood)
    both = embed(["早上好", "hi", "早上好"])
    assert both.shape == (3, 2 * mood.dimension)
    assert np.array_equal(both[0], both[2])
    assert np.array_equal(both[1], np.tile(mood.embed([as_query("hi")])[0], 2))
    assert asked == ["早上好", "hi"]


@pytest.mark.models
def test_moods_are_seen_by_an_encoder_of_their_own_that_lends_the_tokenizer() -> None:
    models = config().models
    if not (models / BASE).is_dir():
        pytest.skip("the embedding model is not prepared: run `make models`")
    searched = search_encoder(models, "cpu")
    mood = mood_encoder(models, searched)
    assert mood.tokenizer is searched.tokenizer
    embed = with_mood(lambda text: searched.embed([as_query(text)])[0], mood)
    model = SentimentModel.load()
    assert model.encoder == BOTH
    texts = ["太好用了，谢谢你们！", "几点开门？", "第三次坏了，太让人失望了", "𒀀 ሀ"]
    assert [label for label, _ in model.judge(texts, embed(texts))][:3] == ["positive", "neutral", "negative"]


@pytest.mark.models
def test_the_adapted_model_is_another_one_and_brings_languages_together() -> None:
    models = config().models
    if not (models / BASE).is_dir():
        pytest.skip("the embedding model is not prepared: run `make models`")
    encoder = search_encoder(models, "cpu")
    assert search_folder(models) == models / SEARCH
    assert encoder.model_id == model_id(models / SEARCH) != model_id(models / BASE)
    question, right, wrong = encoder.embed(
        [as_query("退款多久到账"), as_passage("Refunds take three days."), as_passage("We open at nine.")]
    )
    assert float(question @ right) > float(question @ wrong) + 0.05
    assert np.linalg.norm(question) == pytest.approx(1, abs=1e-3)


@pytest.mark.models
@pytest.mark.parametrize("adapter", [GUARD_ADAPTER, ADAPTER, MOOD_ADAPTER], ids=["guards", "search", "moods"])
def test_every_shipped_adapter_makes_a_folder_from_nothing(adapter: Path, tmp_path: Path) -> None:
    base = config().models / BASE
    if not base.is_dir():
        pytest.skip("the embedding model is not prepared: run `make models`")
    made = OnnxEmbedder(prepare(base, adapter, tmp_path / "made"))
    one, other = made.embed([as_query("退货要运费吗？"), as_query("Where is it?")])
    assert np.isfinite(one).all()
    assert float(one @ other) < 0.99
