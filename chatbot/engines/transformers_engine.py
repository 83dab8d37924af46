"""Writes replies with any causal language model that transformers loads, from a folder or the hub, on a GPU or a CPU.

The only module of the engines that imports torch: import it when building one. Knows nothing of guards or storage.
"""

import importlib.util
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from jinja2 import TemplateError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    LogitsProcessor,
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    StoppingCriteria,
    StoppingCriteriaList,
    TextIteratorStreamer,
)

from chatbot.engines import Draft, EngineFailed, Prompt
from chatbot.engines.budget import fit
from chatbot.engines.control import Harmless
from chatbot.engines.decoding import Decoding
from chatbot.engines.thinking import without_thoughts
from chatbot.prompts import PROMPT_VERSION, build_messages

_POLL_SECONDS = 0.05


class TransformersEngine:
    """One model, one generation at a time; further callers wait in a bounded queue.

    `source` is a folder (nothing is fetched then) or a hub name; safetensors only, and never code from the model. On
    CUDA the weights are NF4 with double quantisation when bitsandbytes is installed, on a CPU fp32. A prompt is cut to
    `prompt_tokens`, or less if the model's context is shorter. A reply that is not finished after `deadline_seconds`
    fails; a caller who has waited `wait_seconds`, or finds `queue` callers waiting, is refused with a retryable
    `EngineFailed`.
    """

    name = "transformers"
    prompt_version = PROMPT_VERSION

    def __init__(
        self,
        source: str | Path,
        *,
        device: Literal["auto", "cpu", "cuda"] = "auto",
        threads: int | None = None,
        max_new_tokens: int = 160,
        prompt_tokens: int = 1536,
        queue: int = 8,
        wait_seconds: float = 15.0,
        deadline_seconds: float = 60.0,
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.model = Path(source).name if Path(source).is_dir() else str(source)
        self.device = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
        self._max_new_tokens = max_new_tokens
        self._wait_seconds, self._deadline_seconds = wait_seconds, deadline_seconds
        safe: dict[str, Any] = {"local_files_only": Path(source).is_dir(), "trust_remote_code": False}
        self._tokenizer: Any = AutoTokenizer.from_pretrained(source, **safe)
        config = AutoConfig.from_pretrained(source, **safe)
        self._model: Any = AutoModelForCausalLM.from_pretrained(
            source, config=config, use_safetensors=True, **_placement(self.device, config), **safe
        ).eval()
        context = getattr(config, "max_position_embeddings", None) or prompt_tokens + max_new_tokens
        self._prompt_tokens = min(prompt_tokens, context - max_new_tokens)
        ends = self._model.generation_config.eos_token_id
        self._ends = {ends} if isinstance(ends, int) else {*(ends or ())}
        self._harmless = Harmless({*self._tokenizer.all_special_tokens, *self._tokenizer.get_added_vocab()})
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="generate")
        self._busy = threading.Lock()
        self._places = threading.BoundedSemaphore(1 + queue)

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Draft:
        """Yields the reply as deltas, without thoughts; ends within a token of `cancelled()`. Raises `EngineFailed`.

        The draft is `cut` when the reply was not over after `max_new_tokens`.
        """
        return Draft(self, lambda draft: self._write(prompt, cancelled, draft))

    def close(self) -> None:
        """Waits for the reply in progress, then frees the model."""
        self._pool.shutdown(cancel_futures=True)
        self._model = None
        if self.device == "cuda":
            torch.cuda.empty_cache()

    def encode(self, prompt: Prompt) -> tuple[str, torch.Tensor]:
        """What the model is fed: text, and token ids of shape (1, at most `prompt_tokens`). Raises `EngineFailed`."""
        budget = self._prompt_tokens
        while budget > 0:
            text = self._text(fit(prompt, budget, self._count))
            ids: torch.Tensor = self._tokenizer(
                text, add_special_tokens=not self._tokenizer.chat_template, return_tensors="pt"
            ).input_ids
            if ids.shape[1] <= self._prompt_tokens:
                return text, ids
            budget -= ids.shape[1] - self._prompt_tokens
        raise EngineFailed(
            f"{self.model} takes {self._prompt_tokens} tokens: too few for the rules of the prompt",
            retryable=False,
            kind="context",
        )

    def _count(self, text: str) -> int:
        return len(self._tokenizer(text, add_special_tokens=False).input_ids)

    def _text(self, prompt: Prompt) -> str:
        """The prompt through the model's chat template. What people and documents wrote becomes no control token."""
        messages = [{**message, "content": self._harmless(message["content"])} for message in build_messages(prompt)]
        everything = "\n\n".join(message["content"] for message in messages)
        if not self._tokenizer.chat_template:
            return everything + "\n\n"
        options = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
        try:
            return str(self._tokenizer.apply_chat_template(messages, **options))
        except TemplateError:  # some models take no system message, or no two of one role in a row
            return str(self._tokenizer.apply_chat_template([{"role": "user", "content": everything}], **options))

    def _write(self, prompt: Prompt, cancelled: Callable[[], bool], draft: Draft) -> Generator[str, None, None]:
        with self._turn(cancelled):
            if cancelled():
                return
            text, ids = self.encode(prompt)
            draft.prompt_tokens = ids.shape[1]
            deltas = self._generate(ids, prompt, cancelled, draft)
            yield from without_thoughts(deltas, thinking=text.rstrip().endswith("<think>"))

    @contextmanager
    def _turn(self, cancelled: Callable[[], bool]) -> Iterator[None]:
        """Waits until the model is free, or the caller is cancelled. Raises `EngineFailed` when it stays busy."""
        if not self._places.acquire(blocking=False):
            raise EngineFailed("the model's queue is full", retryable=True, kind="busy")
        try:
            end = time.monotonic() + self._wait_seconds
            while not (mine := self._busy.acquire(timeout=_POLL_SECONDS)) and not cancelled():
                if time.monotonic() > end:
                    raise EngineFailed("the model stayed busy", retryable=True, kind="busy")
            try:
                yield
            finally:
                if mine:
                    self._busy.release()
        finally:
            self._places.release()

    def _generate(
        self, ids: torch.Tensor, prompt: Prompt, cancelled: Callable[[], bool], draft: Draft
    ) -> Iterator[str]:
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, skip_special_tokens=True)
        stop = _Stop(cancelled, min(prompt.deadline, time.monotonic() + self._deadline_seconds))
        done = self._pool.submit(self._run, ids, streamer, stop, prompt.decoding)
        done.add_done_callback(
            lambda _: streamer.end()
        )  # also when generation failed: else the loop below waits for ever
        try:
            for text in streamer:
                if cancelled():
                    break
                if text:
                    yield text
        finally:
            stop.now = True
            wait([done])
            draft.reply_tokens = stop.tokens
        error = done.exception()
        if error is not None:
            out_of_memory = isinstance(error, torch.cuda.OutOfMemoryError)
            raise EngineFailed(f"{self.model}: {type(error).__name__}", retryable=out_of_memory) from error
        if stop.late:
            raise EngineFailed(f"{self.model} did not finish in time", retryable=False, kind="timeout")
        draft.cut = stop.tokens >= self._max_new_tokens and stop.last not in self._ends

    def _run(self, ids: torch.Tensor, streamer: TextIteratorStreamer, stop: "_Stop", decoding: Decoding) -> None:
        ids = ids.to(self._model.device)
        self._model.generate(
            input_ids=ids,
            attention_mask=torch.ones_like(ids),
            max_new_tokens=self._max_new_tokens,
            logits_processor=LogitsProcessorList(_reply_only(decoding, ids.shape[1])),
            stopping_criteria=StoppingCriteriaList([stop]),
            pad_token_id=self._tokenizer.pad_token_id
            if self._tokenizer.pad_token_id is not None
            else self._tokenizer.eos_token_id,
            repetition_penalty=1.0,
            no_repeat_ngram_size=0,
            streamer=streamer,
            **_options(decoding),
        )


class _Stop(StoppingCriteria):
    """Stops before the next token once the caller is gone or the deadline has passed (`late`). Knows the last token."""

    def __init__(self, cancelled: Callable[[], bool], deadline: float) -> None:
        self.now = self.late = False
        self.tokens = self.last = 0
        self._cancelled, self._deadline = cancelled, deadline

    def __call__(self, input_ids: Any, scores: Any, **kwargs: Any) -> Any:
        self.tokens += 1
        self.last = int(input_ids[0, -1])
        if not (self.now or self._cancelled()):
            self.late = time.monotonic() > self._deadline
        else:
            self.now = True
        return torch.full((input_ids.shape[0],), self.now or self.late, dtype=torch.bool, device=input_ids.device)


class _AfterPrompt(LogitsProcessor):
    """Lets a processor see the reply alone, without the prompt's first `start` tokens."""

    def __init__(self, inner: LogitsProcessor, start: int) -> None:
        self._inner, self._start = inner, start

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        return self._inner(input_ids[:, self._start :], scores)


def _options(decoding: Decoding) -> dict[str, Any]:
    """The choice of tokens as arguments of `generate`."""
    if decoding.temperature is None:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {
        "do_sample": True,
        "temperature": decoding.temperature,
        "top_p": decoding.top_p,
        "top_k": decoding.top_k,
    }


def _reply_only(decoding: Decoding, start: int) -> list[LogitsProcessor]:
    inner: list[LogitsProcessor] = []
    if decoding.repetition_penalty != 1.0:
        inner.append(RepetitionPenaltyLogitsProcessor(decoding.repetition_penalty))
    if decoding.no_repeat_ngram:
        inner.append(NoRepeatNGramLogitsProcessor(decoding.no_repeat_ngram))
    return [_AfterPrompt(processor, start) for processor in inner]


def _placement(device: str, config: Any) -> dict[str, Any]:
    """Where the weights go, and in which precision."""
    if device == "cpu":
        return {"dtype": torch.float32}
    compute = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
    placed: dict[str, Any] = {"dtype": compute, "device_map": {"": 0}}
    if importlib.util.find_spec("bitsandbytes") and getattr(config, "quantization_config", None) is None:
        placed["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
        )
    return placed
