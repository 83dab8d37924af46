import numpy as np
import pytest

from chatbot.encoder import BASE, SEARCH, search_encoder, search_folder
from config.environment import config
from knowledge.embedding import as_passage, as_query, model_id

pytestmark = pytest.mark.models


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
