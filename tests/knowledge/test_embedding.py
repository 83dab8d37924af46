from pathlib import Path

import numpy as np
import pytest

from knowledge import embedding
from knowledge.embedding import (
    MAX_TOKENS,
    ModelMissing,
    OnnxEmbedder,
    as_passage,
    as_query,
    has_cuda,
    load_embedder,
    model_id,
)


def test_prefixes_are_those_of_the_model_and_chinese_is_simplified() -> None:
    assert as_query("退貨") == "query: 退货"
    assert as_passage("Refunds") == "passage: Refunds"


def test_a_folder_without_a_model_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="make models"):
        OnnxEmbedder(tmp_path)
    with pytest.raises(ModelMissing, match="make models"):
        model_id(tmp_path)


def test_other_weights_are_another_model(tmp_path: Path) -> None:
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(b"a" * 100_000)
    before = model_id(tmp_path)
    assert before.startswith(f"{tmp_path.name}@")
    weights.write_bytes(b"a" * 50_000 + b"b" + b"a" * 49_999)
    assert model_id(tmp_path) != before


def test_torch_is_not_asked_about_cuda_where_there_is_no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedding.Path, "exists", lambda _: False)
    assert not has_cuda()


def test_the_device_chooses_the_embedder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made: list[str] = []
    monkeypatch.setattr(embedding, "TorchEmbedder", lambda *_: made.append("torch"))
    monkeypatch.setattr(embedding, "OnnxEmbedder", lambda *_, threads: made.append(f"onnx {threads}"))
    monkeypatch.setattr(embedding, "has_cuda", lambda: True)
    load_embedder(tmp_path)
    load_embedder(tmp_path, "cpu", threads=2)
    monkeypatch.setattr(embedding, "has_cuda", lambda: False)
    load_embedder(tmp_path)
    load_embedder(tmp_path, "cuda")
    assert made == ["torch", "onnx 2", "onnx 1", "torch"]


def test_batches_are_filled_up_with_what_counts_for_nothing() -> None:
    ids, mask = embedding._padded([[5, 6, 7], [8]], texts=4, longest=5)
    assert ids.tolist() == [[5, 6, 7, 1, 1], [8, 1, 1, 1, 1], [1] * 5, [1] * 5]
    assert mask.sum(axis=1).tolist() == [3, 1, 0, 0]


@pytest.mark.models
def test_vectors_are_normal_in_order_and_the_same_alone_or_in_a_batch(real_embedder: OnnxEmbedder) -> None:
    texts = [as_query("退款多久到账"), as_passage("Refunds take three days. " * 30), as_query("hi"), as_query("")]
    together = real_embedder.embed(texts)
    assert together.shape == (4, real_embedder.dimension)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-5)
    for text, vector in zip(texts, together, strict=True):
        # int8 activations are scaled by batch, so that a batch moves vectors a little.
        assert float(real_embedder.embed([text])[0] @ vector) > 0.97
    assert real_embedder.embed([]).shape == (0, real_embedder.dimension)


@pytest.mark.models
def test_the_same_question_in_two_languages_is_nearer_than_another(real_embedder: OnnxEmbedder) -> None:
    chinese, english, other = real_embedder.embed(
        [as_query("退款多久到账？"), as_query("How long does a refund take?"), as_query("Where is your shop?")]
    )
    assert chinese @ english > chinese @ other


@pytest.mark.models
@pytest.mark.parametrize(
    "text", ["query: a\x00b", "query: \ud800", "query: " + "退" * 20_000, "query: " + "\u200b" * 5000]
)
def test_awkward_text_is_embedded_too(real_embedder: OnnxEmbedder, text: str) -> None:
    assert np.isfinite(real_embedder.embed([text])).all()


@pytest.mark.models
def test_text_beyond_the_limit_changes_nothing(real_embedder: OnnxEmbedder) -> None:
    long = "query: " + "refund " * (2 * MAX_TOKENS)
    np.testing.assert_array_equal(real_embedder.embed([long]), real_embedder.embed([long + " kayak"]))
