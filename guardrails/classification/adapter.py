"""An encoder of one's own: multilingual-e5-small with a low-rank adapter merged into its int8 graph.

Makes a model folder that loads like the one it is made of. An adapter of fewer layers ends the graph after its last;
one with `pieces`, numbers of word pieces in order, keeps only their embeddings, and all others are unknown ones. Knows
nothing of who embeds with it.
"""

import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open
from safetensors.numpy import load_file

from guardrails.classification.classifier import ClassifierError

SCALE = 2.0
"""Times the product of the adapter's matrices that is added to a weight."""

GRAPH = Path("onnx") / "model_qint8.onnx"
STAMP = "adapter.sha256"
PIECES = "pieces"
_WORDS = "model.embeddings.word_embeddings.weight_quantized"
_UNKNOWN = "<unk>"
_LAYER = re.compile(r"encoder\.layer\.(\d+)\.")
_NODE = re.compile(r".*/(encoder/layer\.(\d+)/.+)/MatMul_quant$")


def prepare(base: Path, adapter: Path, target: Path) -> Path:
    """Return `target`, a folder with the adapted graph and the tokenizer of `base`; made when it is missing or old.

    Takes about two seconds and as much disk as `base` has for its graph. Processes may call this at the same time:
    the folder appears whole. Raises ClassifierError when `base` or `adapter` is missing.
    """
    stamp = fingerprint(base, adapter)
    if (target / STAMP).is_file() and (target / STAMP).read_text() == stamp:
        return target
    folder = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        folder.chmod(0o755)
        (folder / "onnx").mkdir()
        merge(base, adapter, folder / GRAPH)
        shutil.copyfile(base / "tokenizer.json", folder / "tokenizer.json")
        (folder / STAMP).write_text(stamp)
        replace(folder, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return target


def fingerprint(base: Path, adapter: Path) -> str:
    """Changes with the adapter and with the model below it."""
    weights, graph = base / "model.safetensors", base / GRAPH
    for path in (weights, graph, adapter):
        if not path.is_file():
            raise ClassifierError(f"{path.name} is missing in {path.parent}: run `make models`")
    digest = hashlib.sha256(adapter.read_bytes())
    for path in (weights, graph):
        digest.update(f"{path.stat().st_size} {path.stat().st_mtime_ns}".encode())
    return digest.hexdigest()


def merge(base: Path, adapter: Path, graph: Path) -> None:
    """Write the graph of `base` with every adapted matrix quantised anew, by column, to seven bits as `base` is."""
    import onnx
    from onnx import numpy_helper
    from tokenizers import Tokenizer

    model = onnx.load(base / GRAPH)
    stored = {tensor.name: tensor for tensor in model.graph.initializer}
    change = load_file(adapter)
    last = max(int(match[1]) for name in change if (match := _LAYER.match(name)))
    with safe_open(base / "model.safetensors", "numpy") as weights:
        for node in model.graph.node:
            match = _NODE.match(node.name)
            if node.op_type != "MatMulInteger" or match is None or int(match[2]) > last:
                continue
            name = match[1].replace("/", ".")
            down, up = (change[f"{name}.{part}"].astype(np.float32) for part in ("down", "up"))
            matrix = weights.get_tensor(f"{name}.weight").astype(np.float32) + SCALE * up @ down
            quantised, scale = quantise(matrix.T)
            source = node.input[1]
            for key, array in ((source, quantised), (source.replace("_quantized", "_scale"), scale)):
                stored[key].CopyFrom(numpy_helper.from_array(array, key))
    if PIECES in change:
        tokenizer = Tokenizer.from_file(str(base / "tokenizer.json"))
        (unknown,) = tokenizer.encode(_UNKNOWN, add_special_tokens=False).ids
        keep_pieces(model.graph, change[PIECES], unknown)
    onnx.save(ended(model, last), graph)


def keep_pieces(graph: Any, pieces: npt.NDArray[np.int32], unknown: int) -> None:
    """Keep the embeddings of `pieces` alone; every other piece counts as the `unknown` one, which is among them."""
    from onnx import helper, numpy_helper

    stored = next(tensor for tensor in graph.initializer if tensor.name == _WORDS)
    words = numpy_helper.to_array(stored)
    places = np.full(len(words), np.searchsorted(pieces, unknown), np.int32)
    places[pieces] = np.arange(len(pieces))
    stored.CopyFrom(numpy_helper.from_array(words[pieces], _WORDS))
    graph.initializer.append(numpy_helper.from_array(places, "places"))
    at, looked_up = next((at, node) for at, node in enumerate(graph.node) if _WORDS in node.input)
    graph.node.insert(at, helper.make_node("Gather", ["places", looked_up.input[1]], ["placed"]))
    looked_up.input[1] = "placed"


def ended(model: Any, last: int) -> Any:
    """The model with the states of the layer numbered `last` as what comes out, without what they do not need."""
    from onnx.utils import Extractor

    (states,) = model.graph.output
    layer = f"/model/encoder/layer.{last}/output/LayerNorm/LayerNormalization_output_0"
    if not any(layer in node.input for node in model.graph.node):
        return model  # it ends there anyway
    for node in model.graph.node:
        for names in (node.input, node.output):
            names[:] = ["" if name == states.name else states.name if name == layer else name for name in names]
    return Extractor(model).extract_model([one.name for one in model.graph.input], [states.name])


def quantise(matrix: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Whole numbers of -64 to 63 and a scale for each column; their product is the matrix, about."""
    scale = np.maximum(np.abs(matrix).max(axis=0), 1e-12) / 63.5
    return np.clip(np.rint(matrix / scale), -64, 63).astype(np.int8), scale.astype(np.float32)


def replace(folder: Path, target: Path) -> None:
    """Put `folder` where `target` is. Should another process be faster, its folder stays: both are the same."""
    old = folder.with_name(f"{folder.name}-old")
    try:
        os.replace(target, old)
    except FileNotFoundError:
        pass
    else:
        shutil.rmtree(old, ignore_errors=True)
    try:
        os.replace(folder, target)
    except OSError:
        if not (target / STAMP).is_file():
            raise
