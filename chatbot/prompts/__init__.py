"""The prompts of the language-model engines: one Markdown file each, filled in strictly. Knows nothing of any model."""

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from itertools import count, groupby
from operator import itemgetter
from pathlib import Path
from string import Template

from chatbot.engines import Prompt
from chatbot.turn import Language
from guardrails.leaks import Canaries
from knowledge.passages import Passage

_FILES = sorted(Path(__file__).parent.glob("*.md"))
_TEMPLATES = {file.stem: Template(file.read_text(encoding="utf-8").strip()) for file in _FILES}
_LANGUAGES: dict[Language, str] = {"zh": "Simplified Chinese (简体中文)", "en": "English"}
MARK = re.compile(
    r"[<＜﹤](?=[\s\u200b-\u200f\u2060\ufeff]*[/／]?[\s\u200b-\u200f\u2060\ufeff]*"
    r"(?:passage|customer_question|customer_earlier|manner_of_speaking))",
    re.IGNORECASE,
)
"""What begins as the marks around untrusted text do: no such text has one any more, and no reply may."""
_NO_LETTERS = re.compile(r"[\W_]+")
_FENCE = 6  # characters of the secret in a mark
_PERSONA_CHARACTERS = 800  # a small model's prompt must have room for passages

PROMPT_VERSION = hashlib.sha256(
    b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in _FILES)
).hexdigest()[:12]


CANARIES = Canaries()
"""The secret words of this process's prompts: the leak check watches for them."""


@dataclass(frozen=True)
class Marks:
    """What is secret in one prompt: `fence` is part of the marks around untrusted text, so that nobody can write their
    end; `canary` is never to be said.
    """

    fence: str
    canary: str

    @classmethod
    def of(cls, prompt: Prompt) -> "Marks":
        """The marks of a prompt: those of all prompts in its language and manner, so that an engine that has read the
        rules, or the passages behind them, need not read them again; others where a text in it holds the fence.
        """
        texts = [prompt.persona, prompt.earlier, prompt.question, *(one.text for one in prompt.history)]
        texts += [text for one in prompt.passages for text in (one.heading, one.question, one.text)]
        held = _NO_LETTERS.sub("", unicodedata.normalize("NFKC", " ".join(texts)).lower())
        manner = prompt.language, prompt.persona
        words = (CANARIES.word("fence", *manner, str(number))[:_FENCE] for number in count())
        return cls(next(word for word in words if word not in held), CANARIES.issue("canary", *manner))


def instructions() -> tuple[str, ...]:
    """The fixed words of the prompts, which no reply may repeat."""
    return tuple(template.template for template in _TEMPLATES.values())


def render(name: str, **values: str) -> str:
    """The file `name`.md with its variables filled in. Raises KeyError when one of them is missing from `values`."""
    return _TEMPLATES[name].substitute(values)


def build_messages(prompt: Prompt, marks: Marks | None = None) -> list[dict[str, str]]:
    """Chat messages (`role`, `content`): the rules, what was said before, then the evidence with the question.

    Sentences that may not be quoted are left out. Passages, the question, what was said earlier and the persona cannot
    close the marks that stand around them: they bear the secret fence of `marks`, by default the prompt's own, and what
    looks like a mark in untrusted text is changed.
    """
    marks = marks or Marks.of(prompt)
    language, fence = _LANGUAGES[prompt.language], marks.fence
    evidence = "\n".join(_evidence(number, passage, fence) for number, passage in enumerate(prompt.passages, start=1))
    question = render(
        "answer", evidence=evidence or "(none)", question=_data(prompt.question), language=language, fence=fence
    )
    if prompt.earlier:
        question = f"{render('earlier', earlier=_data(prompt.earlier), fence=fence)}\n\n{question}"
    said = [("user" if said.role == "customer" else "assistant", _data(said.text)) for said in prompt.history]
    turns = groupby([*said, ("user", question)], key=itemgetter(0))  # chat templates want the roles to alternate
    return [
        {"role": "system", "content": _rules(prompt, language, marks)},
        *({"role": role, "content": "\n\n".join(text for _, text in texts)} for role, texts in turns),
    ]


def _rules(prompt: Prompt, language: str, marks: Marks) -> str:
    rules = render("system", language=language, fence=marks.fence, canary=marks.canary)
    persona = _data(prompt.persona)[:_PERSONA_CHARACTERS].strip()
    return f"{rules}\n\n{render('persona', persona=persona, fence=marks.fence)}" if persona else rules


def _evidence(number: int, passage: Passage, fence: str) -> str:
    lines = [line for line in (passage.heading, passage.question, quotable_text(passage)) if line]
    return f'<passage-{fence} number="{number}">\n' + _data("\n".join(lines)) + f"\n</passage-{fence}>"


def quotable_text(passage: Passage) -> str:
    """What of the passage may be shown: its text, or the sentences that the guards passed when some did not."""
    if all(sentence.quotable for sentence in passage.sentences):
        return passage.text
    return " ".join(sentence.text for sentence in passage.sentences if sentence.quotable)


def _data(text: str) -> str:
    """Text that cannot be taken for the marks around it."""
    return MARK.sub("‹", text)
