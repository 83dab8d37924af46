"""The TextCNN runs with numpy as it was trained with torch."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.understanding.test_sentiment import LABELS, ROWS
from understanding.sentiment import cnn_training
from understanding.sentiment.cnn import PIECES, WIDTHS, TextCnn, numbers, padded
from understanding.sentiment.model import SentimentModel

ENGLISH = ("the", "is", "awful", "lovely", "cost", "what", "shame", "does", "thank", "you")
WORDS = [*(f"▁{word}" for word in ENGLISH), *"太差了钱好▁", "失望", "谢谢", "多少", "这个"]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    vocabulary = [["<s>", 0.0], *([word, -3.0] for word in WORDS), *([chr(at), -9.0] for at in range(97, 123))]
    vocabulary += [[f"▁filler{chr(a)}{chr(b)}", -12.0] for a in range(97, 107) for b in range(97, 107)]
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": vocabulary}}))
    weights = np.random.default_rng(1).normal(size=(len(vocabulary), 80)).astype(np.float16)
    save_file({"embeddings.word_embeddings.weight": weights}, folder / "model.safetensors")
    return folder


@pytest.fixture(scope="module")
def cnn(base: Path) -> TextCnn:
    rows = ROWS * 4
    return cnn_training.train([text for text, _ in rows], np.array([LABELS.index(label) for _, label in rows]), base)


def test_it_learns_and_judges_what_it_has_not_seen(cnn: TextCnn) -> None:
    texts = ["the hose is awful", "what does the hose cost", "the hose is lovely thank you", "这个太差了失望", "多少钱"]
    assert [LABELS[at] for at in cnn.logits(texts).argmax(axis=1)] == [
        "negative", "neutral", "positive", "negative", "neutral",
    ]  # fmt: skip


def test_numpy_computes_what_torch_does(base: Path) -> None:
    import torch

    tokenizer, pieces = cnn_training.begin(base)
    network = cnn_training.Network(pieces, 3).eval()
    cnn = cnn_training.with_numpy(tokenizer, network)
    for text in ("the hose is lovely", "好", "", "x" * 500):
        ids = padded(numbers(tokenizer, [text])[0], len(pieces) - 1)
        with torch.no_grad():
            expected = network(torch.tensor([ids])).numpy()
        assert np.allclose(cnn.logits([text]), expected, atol=1e-4)


@pytest.mark.parametrize("count", [0, 1, 4, PIECES])
def test_the_widest_kernel_has_room_whatever_the_text(count: int) -> None:
    found = padded(range(count), 99)
    assert len(found) > max(WIDTHS)
    assert (found[0], found[-1], found[1 : count + 1]) == (99, 99, list(range(count)))


def test_what_ships_judges_any_text_of_any_length() -> None:
    model = SentimentModel.load()
    texts = ["", " ", "?", "好" * 5_000, "wow " * 2_000, "\ud800", "谢谢！🙂"]
    vectors = np.tile(model.mean + 0.01, (len(texts), 1))
    assert all(label in LABELS and 0 <= score <= 1 for label, score in model.judge(texts, vectors))
