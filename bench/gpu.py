"""The parts that run on a GPU, measured there: the transformers engine in NF4, and the embedder.

usage: bench/gpu.py LLM_TOKENIZER_DIR E5_TOKENIZER_DIR
Needs CUDA, torch, transformers, sentence-transformers, bitsandbytes; no Django. Weights are random, of the shape of
DeepSeek-LLM-7B and of multilingual-e5-small: what a token costs does not depend on their values, so speed is measured
this way and quality never.
"""

import gc
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
from transformers import AutoTokenizer, BertConfig, BertModel, GenerationConfig, LlamaConfig, LlamaForCausalLM

from chatbot.engines import Prompt
from chatbot.engines.transformers_engine import TransformersEngine
from knowledge.embedding import TorchEmbedder
from knowledge.passages import Passage, Sentence

NEW_TOKENS = 128
VOCABULARY = 102_400


def random_deepseek(tokenizer_folder: Path, folder: Path) -> None:
    """Write a checkpoint of DeepSeek-LLM-7B's shape, with the tokenizer filled up so that every id decodes to text."""
    tokenizer = AutoTokenizer.from_pretrained(tokenizer_folder)
    words = [f" w{n}." if n % 20 == 0 else f" w{n}" for n in range(VOCABULARY - len(tokenizer))]
    tokenizer.add_tokens(words)
    tokenizer.save_pretrained(folder)
    config = LlamaConfig(
        vocab_size=VOCABULARY, hidden_size=4096, intermediate_size=11008, num_hidden_layers=30, num_attention_heads=32,
        num_key_value_heads=32, max_position_embeddings=4096, tie_word_embeddings=False,
    )  # fmt: skip
    torch.set_default_dtype(torch.bfloat16)
    with torch.device("cuda"):
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    model.generation_config = GenerationConfig()
    model.save_pretrained(folder, max_shard_size="4GB")
    del model
    gc.collect()
    torch.cuda.empty_cache()


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


def passage(number: int) -> Passage:
    text = "A parcel that is lost on its way is replaced or refunded within five working days of the report. " * 4
    empty = np.zeros((1, 384), np.float32)
    return Passage(number, "faq.csv", f"F-{number}", "", text, "", "en", (Sentence(text),), empty)


def engine_figures(folder: Path) -> None:
    torch.cuda.reset_peak_memory_stats()
    start = time.perf_counter()
    engine = TransformersEngine(folder, max_new_tokens=NEW_TOKENS)
    seconds, memory = time.perf_counter() - start, torch.cuda.memory_allocated() / 1e9
    print(f"| transformers NF4: load | {seconds:.1f} s, {memory:.1f} GB |")
    prompt = Prompt("Where is my parcel?", np.zeros(384, np.float32), tuple(passage(n) for n in range(5)), "en")
    print(f"| prompt | {engine.encode(prompt)[1].shape[1]} tokens |")
    list(engine.stream(prompt, lambda: False))
    for _ in range(3):
        start, first, count = time.perf_counter(), 0.0, 0
        for _delta in engine.stream(prompt, lambda: False):
            first = first or time.perf_counter() - start
            count += 1
        seconds = time.perf_counter() - start
        print(f"| one customer | first text {first * 1000:.0f} ms, {NEW_TOKENS / seconds:.1f} tok/s, {count} deltas |")
    stopped_at: list[float] = []
    for _delta in engine.stream(prompt, lambda: bool(stopped_at)):
        stopped_at.append(time.perf_counter())
    print(f"| stop frees the engine after | {(time.perf_counter() - stopped_at[0]) * 1000:.0f} ms |")
    print(f"| peak memory | {torch.cuda.max_memory_allocated() / 1e9:.1f} GB |")
    engine.close()


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


def main(llm_tokenizer: Path, e5_tokenizer: Path) -> None:
    print(f"| {torch.cuda.get_device_name()} | torch {torch.__version__} |\n| --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        random_e5(e5_tokenizer, Path(temporary) / "e5")
        embedder_figures(Path(temporary) / "e5")
        random_deepseek(llm_tokenizer, Path(temporary) / "llm")
        engine_figures(Path(temporary) / "llm")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
