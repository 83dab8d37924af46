"""A tiny BERT with random weights is made here; importing what loads it takes seconds: not among the unit tests."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from knowledge.embedding import ModelMissing
from knowledge.reranking import CrossEncoder, patient

TEXTS = ["tents have poles", "stoves burn gas", "tents", "poles and gas and tents " * 300]


def make(folder: Path, labels: int, *, safe: bool = True) -> Path:
    torch = pytest.importorskip("torch")
    from tokenizers import Tokenizer, models, pre_tokenizers, processors
    from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
    words = dict(zip([*special, "tents", "have", "poles", "stoves", "burn", "gas", "and"], range(11), strict=True))
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **names).save_pretrained(folder)
    torch.manual_seed(1)
    shape = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16}
    config = BertConfig(vocab_size=11, num_labels=labels, initializer_range=1.0, **shape)
    model = BertForSequenceClassification(config).eval()
    if safe:
        model.save_pretrained(folder)
    else:
        config.save_pretrained(folder)
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    return folder


@pytest.mark.integration
@pytest.mark.parametrize("labels", [1, 2])
def test_every_text_has_a_score_of_its_own_whatever_comes_with_it(tmp_path: Path, labels: int) -> None:
    model = CrossEncoder(make(tmp_path, labels))
    [scores] = model.score([("tents have gas", TEXTS)])
    assert len(set(scores)) == len(TEXTS)
    apart = model.score([("tents have gas", TEXTS[2:]), ("tents have gas", []), ("tents have gas", TEXTS[:2])])
    assert apart[1] == []
    assert [*apart[2], *apart[0]] == pytest.approx(scores, abs=1e-4)


@pytest.mark.integration
def test_what_is_no_reranker_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelMissing, match="no transformers model"):
        CrossEncoder(tmp_path)
    with pytest.raises(ModelMissing, match="3 labels"):
        CrossEncoder(make(tmp_path / "three", 3))
    with pytest.raises(ModelMissing, match="can be loaded"):
        CrossEncoder(make(tmp_path / "pickled", 1, safe=False))


@dataclass
class Model:
    """Gives each text its length; waits until it may, or fails."""

    may: threading.Event
    error: Exception | None = None

    def score(self, asked: Sequence[tuple[str, Sequence[str]]]) -> list[list[float]]:
        assert self.may.wait(60)
        if self.error is not None:
            raise self.error
        return [[float(len(text)) for text in texts] for _, texts in asked]


def test_too_late_it_gives_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    results: list[str] = []
    may = threading.Event()
    model: Any = Model(may)
    assert patient(model, results.append, seconds=0.01)("q", ["a", "bb"]) is None
    may.set()
    assert patient(model, results.append, seconds=60)("q", ["a", "bb"]) == [1.0, 2.0]
    assert results == ["late", "done"]
    assert caplog.text.count("not reranked") == 1


@pytest.mark.parametrize("kind", [RuntimeError, ValueError, IndexError, KeyError, MemoryError, AssertionError])
def test_whatever_the_model_raises_the_turn_goes_on(kind: type[Exception], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    results: list[str] = []
    may = threading.Event()
    may.set()
    model: Any = Model(may, kind("out of memory: secret"))
    rerank = patient(model, results.append, seconds=60)
    assert rerank("q", ["a", "bb"]) is None
    model.error = None
    assert rerank("q", ["a", "bb"]) == [1.0, 2.0]
    assert results == ["failed", "done"]
    assert (kind.__name__ in caplog.text, "secret" in caplog.text) == (True, False)
