"""Texts to vectors, with a sentence-transformers folder of the E5 family. Knows nothing of chunks or batching across
callers.

On a CPU ONNX Runtime runs the folder's int8 graph without torch; on a GPU SentenceTransformer runs the weights. Their
vectors agree (cosine > .99), so rows made by one serve questions embedded by the other, and both have the same
`model_id`.
"""

import hashlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np

from knowledge.passages import Vectors
from knowledge.terms import simplified

MAX_TOKENS = 512
BATCH_TOKENS = 1024  # larger batches are slower on a CPU: their activations leave the cache
RECORDED_TEXTS, RECORDED_TOKENS = (1, 2, 4, 8, 16, 32), (32, 64, 128)  # shapes of batches that a GPU has at hand
ADAPTER_SCALE = 2.0  # times the product of an adapter's matrices that is added to a weight
Device = Literal["auto", "cpu", "cuda"]


class Embedder(Protocol):
    """Embeds texts that already bear their prefix (`as_query`, `as_passage`)."""

    model_id: str
    dimension: int

    def embed(self, texts: Sequence[str]) -> Vectors:
        """L2-normalised vectors of shape (len(texts), dimension), in order.

        Longer texts count up to `MAX_TOKENS` tokens.
        """
        ...


def as_query(text: str) -> str:
    """A question as the model was taught to see it, in simplified Chinese: so both scripts find each other better
    (E.SUN R@1 33 to 35).
    """
    return f"query: {simplified(text)}"


def as_passage(text: str) -> str:
    """Text to be found, as the model was taught to see it, in simplified Chinese."""
    return f"passage: {simplified(text)}"


class ModelMissing(Exception):
    """The folder holds no model that can be loaded."""


class OnnxEmbedder:
    """The int8 graph of `folder` (`onnx/model_qint8.onnx`, `tokenizer.json`) on the CPU. Thread-safe."""

    def __init__(self, folder: Path, *, threads: int = 1, tokenizer: Any = None) -> None:
        """Loads the model; `threads` are those of one call, `tokenizer` another embedder's, if it is the same one.

        Raises `ModelMissing`.
        """
        import onnxruntime

        graph, vocabulary = folder / "onnx" / "model_qint8.onnx", folder / "tokenizer.json"
        if not (graph.is_file() and vocabulary.is_file()):
            raise ModelMissing(f"no ONNX model in {folder}: run `make models`")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        self._inputs = {node.name for node in self._session.get_inputs()}
        self.tokenizer = tokenizer or _tokenizer(vocabulary)
        self.model_id = model_id(folder)
        self.dimension = int(self._session.get_outputs()[0].shape[-1])

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        vectors = np.empty((len(texts), self.dimension), np.float32)
        tokens = _tokens(self.tokenizer, texts)
        rows: list[int] = []
        for row in sorted(range(len(texts)), key=lambda i: len(tokens[i])):  # alike lengths together waste no padding
            if rows and (len(rows) + 1) * len(tokens[row]) > BATCH_TOKENS:
                vectors[rows] = self._run([tokens[one] for one in rows])
                rows = []
            rows.append(row)
        if rows:
            vectors[rows] = self._run([tokens[one] for one in rows])
        return vectors

    def _run(self, tokens: list[list[int]]) -> Vectors:
        ids, mask = _padded(tokens, len(tokens), max(map(len, tokens)))
        feed = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(mask)}
        states = self._session.run(None, {name: value for name, value in feed.items() if name in self._inputs})[0]
        weights = mask[:, :, None].astype(np.float32)
        pooled = (states * weights).sum(1) / weights.sum(1)
        normal: Vectors = (pooled / np.linalg.norm(pooled, axis=1, keepdims=True)).astype(np.float32)
        return normal


class TorchEmbedder:
    """The weights of `folder` through sentence-transformers; meant for a GPU. Thread-safe there: what is short goes
    through passes that are recorded at the start.
    """

    def __init__(self, folder: Path, device: str = "cuda", *, batch: int = 64, adapter: Path | None = None) -> None:
        """Loads the model (seconds: it imports torch), with a low-rank adapter added if one is given.

        Raises `ModelMissing`.
        """
        import torch
        from sentence_transformers import SentenceTransformer

        if not (folder / "modules.json").is_file():
            raise ModelMissing(f"no sentence-transformers model in {folder}: run `make models`")
        dtype = torch.float16 if device.startswith("cuda") else torch.float32
        self._model = SentenceTransformer(
            str(folder), device=device, local_files_only=True, trust_remote_code=False, model_kwargs={"dtype": dtype}
        )
        if adapter is not None:
            _add(adapter, dict(self._model[0].auto_model.named_parameters()))
        self._model.max_seq_length = MAX_TOKENS
        self._batch = batch
        self.model_id = model_id(folder)
        self.dimension = int(self._model.get_embedding_dimension() or 0)
        self._passes: _Passes | None = None
        if device.startswith("cuda"):
            self._tokenizer = _tokenizer(folder / "tokenizer.json")
            self._passes = _Passes(self._model[0].auto_model, device)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See `Embedder.embed`."""
        if self._passes is None or not texts:
            return self._encode(texts)
        tokens = _tokens(self._tokenizer, texts)
        if max(map(len, tokens)) > RECORDED_TOKENS[-1]:
            return self._encode(texts)
        most = RECORDED_TEXTS[-1]
        return np.concatenate([self._passes(tokens[at : at + most]) for at in range(0, len(tokens), most)])

    def _encode(self, texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.empty((0, self.dimension), np.float32)
        vectors = self._model.encode(
            [_clean(text) for text in texts],
            prompt="",
            batch_size=self._batch,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return np.asarray(vectors, np.float32)


class _Passes:
    """A BERT's passes over batches of a few shapes, recorded as CUDA graphs. Thread-safe.

    Launching hundreds of kernels one by one takes longer than they run, and the interpreter's lock as often: sixteen
    threads got 54 texts a second in that way, and 1,250 in this one. Who waits for the GPU leaves the CPU to others.
    """

    def __init__(self, model: Any, device: str) -> None:
        import torch as library

        torch: Any = library  # much of it has no types
        self._model, self._torch, self._lock = model, torch, threading.Lock()
        self._done = torch.cuda.Event(blocking=True)
        pool, aside = torch.cuda.graph_pool_handle(), torch.cuda.Stream(device)
        with torch.no_grad():
            self._graphs = {
                (texts, tokens): self._recorded(texts, tokens, device, pool, aside)
                for texts in reversed(RECORDED_TEXTS)
                for tokens in reversed(RECORDED_TOKENS)
            }
        torch.cuda.empty_cache()

    def __call__(self, tokens: list[list[int]]) -> Vectors:
        """Vectors of texts of these tokens, as many and as long as there is a shape for."""
        texts = next(size for size in RECORDED_TEXTS if size >= len(tokens))
        longest = max(map(len, tokens))
        shape = texts, next(size for size in RECORDED_TOKENS if size >= longest)
        graph, inputs, vectors, given, found = self._graphs[shape]
        padded = np.stack(_padded(tokens, *shape))
        with self._lock:  # all graphs share their memory
            given.numpy()[:] = padded
            inputs.copy_(given, non_blocking=True)
            graph.replay()
            found.copy_(vectors, non_blocking=True)
            self._done.record()
            self._done.synchronize()
            result: Vectors = found.numpy()[: len(tokens)].copy()
        return result

    def _recorded(self, texts: int, tokens: int, device: str, pool: Any, aside: Any) -> tuple[Any, ...]:
        """(graph, its inputs: ids and mask, its vectors, and where those two stand on the CPU)."""
        torch = self._torch
        inputs = torch.ones((2, texts, tokens), dtype=torch.int64, device=device)
        inputs[1, :, tokens // 2 :] = 0  # with a mask of nothing but ones another kernel would be tried out
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries make their plans before anything is recorded
            for _ in range(2):
                vectors = self._pass(*inputs)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            vectors = self._pass(*inputs)
        given = torch.empty(inputs.shape, dtype=inputs.dtype, pin_memory=True)
        return graph, inputs, vectors, given, torch.empty(vectors.shape, dtype=vectors.dtype, pin_memory=True)

    def _pass(self, ids: Any, mask: Any) -> Any:
        states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state.float()
        weights = mask[:, :, None].float()
        pooled = (states * weights).sum(1) / weights.sum(1).clamp(min=1.0)
        return self._torch.nn.functional.normalize(pooled, dim=1)


def _tokenizer(vocabulary: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(vocabulary))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def _tokens(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch([_clean(text) for text in texts])]


def _padded(tokens: list[list[int]], texts: int, longest: int) -> tuple[np.ndarray, np.ndarray]:
    """(ids, mask), each of shape (texts, longest) and int64; rows beyond `tokens` are empty."""
    mask = np.zeros((texts, longest), np.int64)
    ids = np.ones_like(mask)  # 1 is the padding of XLM-R's vocabulary; the mask makes it count for nothing
    for row, one in enumerate(tokens):
        ids[row, : len(one)] = one
        mask[row, : len(one)] = 1
    return ids, mask


def _add(adapter: Path, weights: dict[str, Any]) -> None:
    """Adds the products of the adapter's matrices to the weights of those names, in place."""
    import torch
    from safetensors.torch import load_file

    change = load_file(adapter)
    with torch.no_grad():
        for name in [key.removesuffix(".down") for key in change if key.endswith(".down")]:
            weight = weights[f"{name}.weight"]
            product = change[f"{name}.up"].float() @ change[f"{name}.down"].float() * ADAPTER_SCALE
            weight += product.to(weight.device, weight.dtype)


def load_embedder(folder: Path, device: Device = "auto", *, threads: int = 1) -> Embedder:
    """The embedder that suits the machine: torch where CUDA works, else ONNX Runtime. Raises `ModelMissing`."""
    if device == "cuda" or (device == "auto" and has_cuda()):
        return TorchEmbedder(folder, "cuda")
    return OnnxEmbedder(folder, threads=threads)


def has_cuda() -> bool:
    """Whether torch can use a GPU; torch is only imported on a machine with an NVIDIA driver."""
    if not (Path("/proc/driver/nvidia").exists() or Path("/dev/nvidia0").exists()):
        return False
    import torch

    return torch.cuda.is_available()


def model_id(folder: Path) -> str:
    """The folder's name and a fingerprint of its weights: other weights in the same folder are another model."""
    weights = next(
        (path for path in (folder / "model.safetensors", folder / "onnx" / "model_qint8.onnx") if path.is_file()), None
    )
    if weights is None:
        raise ModelMissing(f"no weights in {folder}: run `make models`")
    size = weights.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with weights.open("rb") as file:
        for sample in range(32):  # the whole file would take a second
            file.seek(size * sample // 32)
            digest.update(file.read(16384))
    return f"{folder.name}@{digest.hexdigest()[:12]}"


def _clean(text: str) -> str:
    """Without what tokenizers choke on: NUL and lone surrogates."""
    return text.replace("\x00", " ").encode("utf-8", "replace").decode()
