"""The embedder on a GPU; the engine has a bench of its own, gpu_engine.py.

usage: bench/gpu.py E5_TOKENIZER_DIR
Needs CUDA, torch, transformers, sentence-transformers; no Django. Weights are random, of the shape of
multilingual-e5-small: what a token costs does not depend on their values, so speed is measured this way and quality
never.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from transformers import AutoTokenizer, BertConfig, BertModel

from knowledge.embedding import TorchEmbedder


def random_e5(tokenizer_folder: Path, folder: Path) -> None:
    """Write a sentence-transformers folder of multilingual-e5-small's shape."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.models import Normalize, Pooling, Transformer

    plain = folder / "plain"
    config = BertConfig(
        vocab_size=250_037, hidden_size=384, num_hidden_layers=12, num_attention_heads=12, intermediate_size=1536,
        max_position_embeddings=512,
    )  # fmt: skip
    BertModel(config, add_pooling_layer=False).save_pretrained(plain)
    AutoTokenizer.from_pretrained(tokenizer_folder).save_pretrained(plain)
    modules = [Transformer(str(plain)), Pooling(384, "mean"), Normalize()]
    SentenceTransformer(modules=modules).save(str(folder))


def embedder_figures(folder: Path) -> None:
    embedder = TorchEmbedder(folder)
    texts = [f"query: how long does refund number {n} take to arrive on my card after the return?" for n in range(2048)]
    embedder.embed(texts[:64])
    start = time.perf_counter()
    for text in texts[:50]:
        embedder.embed([text])
    alone = (time.perf_counter() - start) / 50 * 1000
    start = time.perf_counter()
    vectors = embedder.embed(texts)
    rate = len(texts) / (time.perf_counter() - start)
    print(f"| embedder, fp16 | alone {alone:.1f} ms, {rate:.0f} texts/s in batches |")
    assert vectors.shape == (2048, 384)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)


def main(tokenizer: Path) -> None:
    print(f"| {torch.cuda.get_device_name()} | torch {torch.__version__} |\n| --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        random_e5(tokenizer, Path(temporary))
        embedder_figures(Path(temporary))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(Path(sys.argv[1]))
