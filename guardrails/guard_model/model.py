"""Loads a guard model from a folder and judges texts with it, many at once, on a GPU where there is one.

The only module of the guards that imports torch: import it when there is a model. Nothing is ever fetched, weights are
safetensors, code that a folder brings is not run. Knows nothing of queues and time-outs.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import torch
from jinja2 import TemplateError
from safetensors import SafetensorError
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from guardrails.classification.pieces import windows
from guardrails.guard_model.answers import GuardModelError, Kind, NoVerdict, kinds_of, read_answer, verdict_of
from guardrails.guard_model.check import Role
from guardrails.verdict import STRICTNESS, Verdict

MOST_TOKENS = 512
"""A classifier sees so many tokens of a text at once, its model permitting; a longer text in windows."""

OVERLAP = 64
"""Tokens that neighbouring windows share."""

WINDOW = 2_000
"""Characters that a language model judges at once."""

ANSWER_TOKENS = 64
AT_ONCE = 32
"""Windows in one batch."""

ASKED = "A customer writes to the shop."
"""Stands for what a reply answers, which is judged by itself: templates leave out a reply without a question."""

_PROBE = "kefuprobe"
_DELIMITER = re.compile(r"<(?=/?(?:BEGIN|END) )")

Judged = Verdict | NoVerdict


class GuardModel(Protocol):
    """Judges texts. Not to be called by two threads at once."""

    device: str

    def judge(self, said: Sequence[tuple[Role, str]]) -> list[Judged]:
        """Return a verdict on each text, or why there is none, in order. Raises what torch raises."""
        ...


def load(folder: Path, labels: Mapping[str, Kind] = {}, device: Literal["auto", "cpu", "cuda"] = "auto") -> GuardModel:
    """Load the model in `folder`: a sequence classifier, or a language model that writes verdicts as Qwen3Guard does.

    labels: what a classifier's labels mean where their names do not say so. On CUDA in bfloat16, on a CPU in float32.
    Raises GuardModelError, which says what is wrong with the folder.
    """
    where = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if not (folder / "config.json").is_file():
        raise GuardModelError(f"no guard model in {folder}: config.json is missing")
    try:
        config = AutoConfig.from_pretrained(folder, **_SAFE)
        tokenizer = AutoTokenizer.from_pretrained(folder, **_SAFE)
        if len(tokenizer) <= len(tokenizer.all_special_tokens):  # what transformers makes of a folder without one
            raise GuardModelError(f"the guard model in {folder} has no tokenizer")
        made_for = " ".join(config.architectures or ())
        if getattr(config, "auto_map", None):
            raise GuardModelError(f"the guard model in {folder} needs code of its own, which is never run")
        if made_for.endswith("ForSequenceClassification"):
            names = [config.id2label[number] for number in range(config.num_labels)]
            kinds = kinds_of(names, labels)
            return SequenceModel(_weights(AutoModelForSequenceClassification, folder, where), tokenizer, kinds)
        if made_for.endswith("ForCausalLM"):
            return WritingModel(_weights(AutoModelForCausalLM, folder, where), tokenizer)
    except (OSError, ValueError, KeyError, ImportError, RuntimeError, SafetensorError) as error:
        raise GuardModelError(
            f"the guard model in {folder} cannot be loaded: {type(error).__name__}: {error}"
        ) from None
    raise GuardModelError(f"{folder} holds no classifier and no language model, but {made_for or 'something else'}")


class SequenceModel:
    """A classifier with a label a text (or several)."""

    def __init__(self, model: Any, tokenizer: Any, kinds: Sequence[Kind]) -> None:
        self.device = str(model.device)
        self._model, self._tokenizer, self._kinds = model, tokenizer, tuple(kinds)
        self._harmless = _Harmless(tokenizer)
        self._exclusive = model.config.problem_type != "multi_label_classification" and len(self._kinds) > 1
        if tokenizer.pad_token_id is None:
            raise GuardModelError("the guard model's tokenizer has no padding")
        shifted = model.config.pad_token_id + 1 if "roberta" in model.config.model_type else 0
        positions = getattr(model.config, "max_position_embeddings", MOST_TOKENS) - shifted
        self._tokens = min(MOST_TOKENS, tokenizer.model_max_length, positions)

    def judge(self, said: Sequence[tuple[Role, str]]) -> list[Judged]:
        """See GuardModel."""
        if not said:
            return []
        encoded = self._tokenizer(
            [self._harmless(text) for _, text in said],
            truncation=True,
            max_length=self._tokens,
            stride=min(OVERLAP, self._tokens // 4),
            return_overflowing_tokens=True,
        )
        rows: list[list[Judged]] = [[] for _ in said]
        of = encoded.pop("overflow_to_sample_mapping")
        for start in range(0, len(of), AT_ONCE):
            some = {name: values[start : start + AT_ONCE] for name, values in encoded.items()}
            batch = self._tokenizer.pad(some, return_tensors="pt").to(self._model.device)
            with torch.inference_mode():
                logits = self._model(**batch).logits.float()
            found = logits.softmax(-1) if self._exclusive else logits.sigmoid()
            for at, row in zip(of[start : start + AT_ONCE], found.tolist(), strict=True):
                rows[at].append(_judged(verdict_of, row, self._kinds, self._exclusive))
        return [_worst(row) for row in rows]


class WritingModel:
    """A language model whose chat template asks for a verdict, on a customer's message or on a reply."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.device = str(model.device)
        self._model, self._tokenizer = model, tokenizer
        self._harmless = _Harmless(tokenizer)
        tokenizer.padding_side = "left"
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        if not tokenizer.chat_template:
            raise GuardModelError("the guard model has no chat template, so it cannot be asked for a verdict")
        for role in ("customer", "shop"):
            if _PROBE not in self._prompt(role, _PROBE):
                raise GuardModelError(f"the guard model's chat template leaves out what a {role} says")
        self._tokens = model.config.max_position_embeddings - ANSWER_TOKENS

    def judge(self, said: Sequence[tuple[Role, str]]) -> list[Judged]:
        """See GuardModel."""
        rows: list[list[Judged]] = [[] for _ in said]
        asked: list[tuple[int, str]] = []
        for at, (role, text) in enumerate(said):
            for part in windows(text, WINDOW) if len(text) > WINDOW else [text]:
                prompt = self._prompt(role, self._harmless(part))
                if len(self._tokenizer(prompt, add_special_tokens=False).input_ids) > self._tokens:
                    rows[at].append(NoVerdict("longer than the model takes"))
                else:
                    asked.append((at, prompt))
        for start in range(0, len(asked), AT_ONCE):
            some = asked[start : start + AT_ONCE]
            for (at, _), answer in zip(some, self._answers([prompt for _, prompt in some]), strict=True):
                rows[at].append(_judged(read_answer, answer))
        return [_worst(row) for row in rows]

    def _prompt(self, role: Role, text: str) -> str:
        turns = [{"role": "user", "content": text}]
        if role == "shop":
            turns = [{"role": "user", "content": ASKED}, {"role": "assistant", "content": text}]
        try:
            prompt: str = self._tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        except TemplateError as error:
            raise GuardModelError(f"the guard model's chat template cannot be used: {type(error).__name__}") from None
        return prompt

    def _answers(self, prompts: list[str]) -> list[str]:
        batch = self._tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
        batch = batch.to(self._model.device)
        with torch.inference_mode():
            written = self._model.generate(
                input_ids=batch.input_ids,
                attention_mask=batch.attention_mask,
                max_new_tokens=ANSWER_TOKENS,
                do_sample=False,
                temperature=None,
                top_p=None,
                top_k=None,
                pad_token_id=self._tokenizer.pad_token_id,
            )
        answers: list[str] = self._tokenizer.batch_decode(
            written[:, batch.input_ids.shape[1] :], skip_special_tokens=True
        )
        return answers


class _Harmless:
    """Breaks what would be control tokens, or the template's delimiters, if people wrote it."""

    def __init__(self, tokenizer: Any) -> None:
        control = sorted({*tokenizer.all_special_tokens, *tokenizer.get_added_vocab()}, key=len, reverse=True)
        self._control = re.compile("|".join(map(re.escape, filter(None, control))) or r"(?!)")

    def __call__(self, text: str) -> str:
        broken = self._control.sub(lambda found: f"{found[0][0]} {found[0][1:]}", text)
        return _DELIMITER.sub("< ", broken)


def _weights(kind: Any, folder: Path, device: str) -> Any:
    """The weights, all of them: a head that the folder does not hold would be made of chance."""
    dtype = torch.bfloat16 if device == "cuda" else torch.float32
    model, about = kind.from_pretrained(folder, dtype=dtype, use_safetensors=True, output_loading_info=True, **_SAFE)
    if missing := about["missing_keys"]:
        raise GuardModelError(f"the guard model in {folder} lacks weights: {', '.join(sorted(missing)[:3])}")
    return model.to(device).eval()


def _judged(judge: Callable[..., Verdict], *given: Any) -> Judged:
    try:
        return judge(*given)
    except NoVerdict as error:
        return error


def _worst(row: Sequence[Judged]) -> Judged:
    """The strictest verdict on a text's windows; without one of any window there is none."""
    verdicts = [one for one in row if isinstance(one, Verdict)]
    if not verdicts or len(verdicts) < len(row):
        return next((one for one in row if isinstance(one, NoVerdict)), NoVerdict("nothing to judge"))
    return max(verdicts, key=lambda one: STRICTNESS[one.action])


_SAFE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
