"""A transformer that lies in a folder is fine-tuned, saved and loaded; what is no such folder is refused."""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from tests.understanding.intents.examples import WORDS, utterances
from understanding.errors import ModelUnreadable
from understanding.intents import transformer
from understanding.intents.classifier import ABOUT
from understanding.intents.transformer import FineTuned, train


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BERT of a few thousand random weights."""
    from transformers import BertConfig, BertModel, BertTokenizerFast

    folder = tmp_path_factory.mktemp("checkpoint")
    letters = sorted({letter for text in utterances()[0] for letter in text.lower() if not letter.isspace()})
    words = sorted({word for many in WORDS.values() for word in many if word.isascii()})
    tokens = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters, *(f"##{one}" for one in letters)]
    (folder / "vocab.txt").write_text("\n".join(tokens), "utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokens),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def test_a_fine_tuned_checkpoint_classifies_and_survives_its_folder(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformer, "RATE", 3e-3)  # random weights have far to go
    texts, labels = utterances()
    tuned, report = train([*texts, "why is it blue"], [*labels, "oos"], checkpoint, epochs=8)
    assert (report.out_of_scope, {one.label for one in report.classes}) == (1, set(labels))
    assert 0 <= report.accuracy <= 1
    tuned.save(tmp_path / "model", asdict(report))
    assert list((tmp_path / "model").glob("*.safetensors"))
    assert not list((tmp_path / "model").glob("*.bin"))
    loaded = FineTuned.load(tmp_path / "model")
    asked = texts[::5]
    assert [one.label for one in loaded.classify(asked)] == [one.label for one in tuned.classify(asked)]


def test_a_folder_without_safetensors_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80\x04")
    texts, labels = utterances()
    with pytest.raises(ModelUnreadable, match="safetensors"):
        train(texts, labels, tmp_path)


def test_a_folder_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / ABOUT).write_text(json.dumps({"format": 1, "kind": "kernel"}))
    with pytest.raises(ModelUnreadable, match="no fine-tuned"):
        FineTuned.load(tmp_path)
