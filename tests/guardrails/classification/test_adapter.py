"""The adapter is merged once, and again when it changes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis.extra import numpy as arrays

from guardrails.classification import adapter
from guardrails.classification.classifier import ClassifierError
from guardrails.classification.shipped import ADAPTER


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(np.float32, (6, 4), elements={"min_value": -4, "max_value": 4}))
def test_a_quantised_matrix_is_off_by_less_than_a_step(matrix: np.ndarray) -> None:
    quantised, scale = adapter.quantise(matrix)
    assert quantised.dtype == np.int8
    assert (np.abs(quantised * scale - matrix) <= scale * 0.51).all()


def test_a_missing_model_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(ClassifierError, match="make models"):
        adapter.prepare(tmp_path / "e5-small", ADAPTER, tmp_path / "e5-guard")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_once_and_anew_when_the_adapter_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = tmp_path / "base"
    (base / "onnx").mkdir(parents=True)
    for name in ("model.safetensors", "tokenizer.json", "onnx/model_qint8.onnx"):
        (base / name).write_text(name)
    changed = tmp_path / "adapter"
    changed.write_text("one")
    made = []

    def merge(_base: Path, _adapter: Path, graph: Path) -> None:
        made.append(graph)
        graph.write_text(str(len(made)))

    monkeypatch.setattr(adapter, "merge", merge)
    target = tmp_path / "target"
    for _ in range(2):
        assert adapter.prepare(base, changed, target) == target
    assert len(made) == 1
    changed.write_text("two")
    adapter.prepare(base, changed, target)
    assert (target / adapter.GRAPH).read_text() == "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["adapter", "base", "target"]


def test_only_some_pieces_keep_their_embeddings_and_the_graph_may_end_early() -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from onnxruntime import InferenceSession

    def ended(layer: int) -> str:
        return f"/model/encoder/layer.{layer}/output/LayerNorm/LayerNormalization_output_0"

    words = np.arange(20, dtype=np.float32).reshape(10, 2)
    graph = helper.make_graph(
        [
            helper.make_node("Gather", [adapter._WORDS, "input_ids"], [ended(0)]),
            helper.make_node("Neg", [ended(0)], [ended(1)]),
            helper.make_node("Identity", [ended(1)], ["last_hidden_state"]),
        ],
        "encoder",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, [None])],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [None, 2])],
        [numpy_helper.from_array(words, adapter._WORDS)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    adapter.keep_pieces(model.graph, np.array([0, 3, 4, 9], np.int32), unknown=3)
    for last, sign in ((1, -1), (0, 1)):
        session = InferenceSession(adapter.ended(model, last).SerializeToString())
        found = session.run(None, {"input_ids": np.array([9, 5, 3, 0])})[0]
        assert np.array_equal(found, sign * words[[9, 3, 3, 0]])
    assert len(onnx.numpy_helper.to_array(model.graph.initializer[0])) == 4
