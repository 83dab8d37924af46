"""The real embedding model, loaded once."""

import pytest

from config.environment import config
from knowledge.embedding import OnnxEmbedder


@pytest.fixture(scope="session")
def real_embedder() -> OnnxEmbedder:
    folder = config().models / "e5-small"
    if not folder.is_dir():
        pytest.skip("the embedding model is not prepared: run `make models`")
    return OnnxEmbedder(folder)
