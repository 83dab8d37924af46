"""The real embedding model, loaded once."""

import pytest

from chatbot.encoder import BASE, search_folder
from config.environment import config
from knowledge.embedding import OnnxEmbedder


@pytest.fixture(scope="session")
def real_embedder() -> OnnxEmbedder:
    if not (config().models / BASE).is_dir():
        pytest.skip("the embedding model is not prepared: run `make models`")
    return OnnxEmbedder(search_folder(config().models))
