"""The transformers engine in NF4 on a GPU: seconds to load, memory, tokens a second for one customer, cost of a stop.

usage: python bench/gpu_engine.py [--layers 30] [--tokens 128] [--tiny]
Needs torch, transformers, accelerate and, on CUDA, bitsandbytes; no Django, no network. The checkpoint has the shape of
DeepSeek-LLM-7B, random weights and an invented vocabulary: what a token costs does not depend on what it says, so speed
is measured this way and quality never. `--tiny` is the same run in seconds on a CPU.
"""

import argparse
import gc
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from bench.chance import SENTENCE, words
from chatbot.engines import Draft, Prompt
from chatbot.engines.decoding import decoding_for
from chatbot.engines.transformers_engine import TransformersEngine
from knowledge.passages import Passage, Sentence

ROOT = Path(__file__).resolve().parent.parent
VOCABULARY = 102_400
TEXTS = ("README.md", "demo/*.jsonl", "demo/knowledge/*.csv", "demo/knowledge/*.md", "chatbot/prompts/*.md")
BYTES = 15e9  # of the whole checkpoint
BEGIN, END = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>"
DEEPSEEK_LLM = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}{{ 'User: ' + message['content'] + '\n\n' }}"
    "{% elif message['role'] == 'assistant' %}{{ 'Assistant: ' + message['content'] + eos_token }}"
    "{% else %}{{ message['content'] + '\n\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
"""How DeepSeek-LLM and DeepSeek-V2 lay out a conversation."""


def never() -> bool:
    return False


def invented_tokenizer(size: int, template: str = DEEPSEEK_LLM) -> PreTrainedTokenizerFast:
    """Byte pairs learnt from the project's own texts, about as many to a token as a real vocabulary has, and so many
    other words that there are `size` entries.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=min(16_384, size - 8), initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    texts = [file for pattern in TEXTS for file in sorted(ROOT.glob(pattern))]
    tokenizer.train_from_iterator((line for file in texts for line in file.read_text("utf-8").splitlines()), trainer)
    folder = Path(tempfile.mkdtemp())
    tokenizer.model.save(str(folder))
    vocabulary, merges = models.BPE.read_file(str(folder / "vocab.json"), str(folder / "merges.txt"))
    shutil.rmtree(folder)
    for number, word in enumerate(words()):
        if len(vocabulary) == size - 2:
            break
        [(text, _)] = tokenizer.pre_tokenizer.pre_tokenize_str(f" {word}")
        vocabulary.setdefault(text + "." * (number % SENTENCE == 0), len(vocabulary))
    tokenizer.model = models.BPE(vocabulary, merges)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=BEGIN, eos_token=END, chat_template=template)


def random_checkpoint(folder: Path, *, layers: int = 30, tiny: bool = False, template: str = DEEPSEEK_LLM) -> None:
    """Write a checkpoint of DeepSeek-LLM-7B's shape with so many layers; `tiny`: of its form alone."""
    tokenizer = invented_tokenizer(2048 if tiny else VOCABULARY, template)
    tokenizer.save_pretrained(folder)
    shape = {"hidden_size": 4096, "intermediate_size": 11008, "num_attention_heads": 32, "num_key_value_heads": 32}
    if tiny:
        shape = {"hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 4, "num_key_value_heads": 4}
    config = LlamaConfig(
        vocab_size=len(tokenizer), num_hidden_layers=layers, max_position_embeddings=4096, rms_norm_eps=1e-6,
        bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id, tie_word_embeddings=False, **shape,
    )  # fmt: skip
    torch.manual_seed(7)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if tiny else torch.bfloat16)
    with torch.device("cuda" if torch.cuda.is_available() and not tiny else "cpu"):
        model = LlamaForCausalLM(config)
    torch.set_default_dtype(usual)
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id)
    model.save_pretrained(folder, max_shard_size="4GB")
    del model
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def prompt_of(question: str, passages: int = 5) -> Prompt:
    """A question with passages of four sentences."""
    sentence = "A parcel that is lost on its way is replaced or refunded within five working days of the report."
    text, sentences, vectors = " ".join([sentence] * 4), (Sentence(sentence),) * 4, np.zeros((4, 384), np.float32)
    found = tuple(Passage(n, "faq.csv", f"F-{n}", "", text, "", "en", sentences, vectors) for n in range(passages))
    decoding = decoding_for(0.3, 0.9)
    return Prompt(question, np.zeros(384, np.float32), found, "en", decoding=decoding)


def tell(what: str, found: str) -> None:
    print(f"| {what} | {found} |", flush=True)


def drained(draft: Draft) -> tuple[float, float]:
    """(seconds to the first text, seconds to the end)."""
    start, first = time.perf_counter(), 0.0
    for _ in draft:
        first = first or time.perf_counter() - start
    return first, time.perf_counter() - start


def stopping(engine: TransformersEngine, prompt: Prompt) -> tuple[float, int]:
    """(seconds from the stop until the engine is free, tokens generated after it)."""
    stopped: list[float] = []
    wasted = 0

    def cancelled() -> bool:
        nonlocal wasted
        if stopped and threading.current_thread().name.startswith("generate"):  # it asks once a token
            wasted += 1
        return bool(stopped)

    draft = engine.stream(prompt, cancelled)
    for number, _ in enumerate(draft):
        if number == 8:
            stopped.append(time.perf_counter())
    return time.perf_counter() - stopped[0], wasted


def main(layers: int, tokens: int, tiny: bool) -> None:
    cuda = torch.cuda.is_available() and not tiny
    name = torch.cuda.get_device_name() if cuda else "CPU, tiny"
    print(f"| {name} | torch {torch.__version__}, transformers {transformers.__version__} |\n| --- | --- |", flush=True)
    memory: Callable[[], float] = torch.cuda.memory_allocated if cuda else lambda: 0.0
    shared = Path("/dev/shm")  # a disk would take most of the time
    roomy = cuda and shared.is_dir() and shutil.disk_usage(shared).free > BYTES
    with tempfile.TemporaryDirectory(dir=shared if roomy else None) as folder:
        start = time.perf_counter()
        random_checkpoint(Path(folder), layers=layers, tiny=tiny)
        tell(f"random checkpoint, {layers} layers, written", f"{time.perf_counter() - start:.1f} s")
        start = time.perf_counter()
        engine = TransformersEngine(folder, device="cuda" if cuda else "cpu", max_new_tokens=tokens)
        tell("transformers NF4: load", f"{time.perf_counter() - start:.1f} s, {memory() / 1e9:.1f} GB")
    prompt = prompt_of("Where is my parcel?")
    drained(engine.stream(prompt, never))
    for _ in range(3):
        draft = engine.stream(prompt, never)
        first, whole = drained(draft)
        rate = (draft.reply_tokens - 1) / (whole - first)
        figures = f"first text {first * 1000:.0f} ms, then {rate:.1f} tok/s ({draft.reply_tokens} tokens)"
        tell(f"one customer, prompt of {draft.prompt_tokens} tokens", figures)
    for _ in range(3):
        seconds, wasted = stopping(engine, prompt)
        tell("a stop frees the engine after", f"{seconds * 1000:.0f} ms, {wasted} tokens wasted")
    long = prompt_of("Where is my parcel? " * 2500)
    start = time.perf_counter()
    size = engine.encode(long)[1].shape[1]
    tell(
        "a question of 10,000 tokens or more", f"cut to {size} tokens in {(time.perf_counter() - start) * 1000:.0f} ms"
    )
    if cuda:
        tell("peak memory", f"{torch.cuda.max_memory_allocated() / 1e9:.1f} GB")
    engine.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--layers", type=int, default=30)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--tiny", action="store_true", help="a few layers of 64 on the CPU")
    arguments = parser.parse_args()
    main(2 if arguments.tiny else arguments.layers, arguments.tokens, arguments.tiny)
