"""The prompts of the language-model engines: one Markdown file each, filled in strictly. Knows nothing of any model."""

import hashlib
import re
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from string import Template

from chatbot.engines import Prompt
from chatbot.turn import Language
from knowledge.passages import Passage

_FILES = sorted(Path(__file__).parent.glob("*.md"))
_TEMPLATES = {file.stem: Template(file.read_text(encoding="utf-8").strip()) for file in _FILES}
_LANGUAGES: dict[Language, str] = {"zh": "Simplified Chinese (简体中文)", "en": "English"}
_TAG = re.compile(r"<(?=\s*/?\s*(?:passage|customer_question)\b)", re.IGNORECASE)

PROMPT_VERSION = hashlib.sha256(
    b"\0".join(file.name.encode() + b"\0" + file.read_bytes() for file in _FILES)
).hexdigest()[:12]


def render(name: str, **values: str) -> str:
    """The file `name`.md with its variables filled in. Raises KeyError when one of them is missing from `values`."""
    return _TEMPLATES[name].substitute(values)


def build_messages(prompt: Prompt) -> list[dict[str, str]]:
    """Chat messages (`role`, `content`): the rules, what was said before, then the evidence with the question.

    Sentences that may not be quoted are left out. Passages and the question cannot close the marks that stand around
    them.
    """
    language = _LANGUAGES[prompt.language]
    evidence = "\n".join(_evidence(number, passage) for number, passage in enumerate(prompt.passages, start=1))
    question = render("answer", evidence=evidence or "(none)", question=_data(prompt.question), language=language)
    said = [("user" if said.role == "customer" else "assistant", _data(said.text)) for said in prompt.history]
    turns = groupby([*said, ("user", question)], key=itemgetter(0))  # chat templates want the roles to alternate
    return [
        {"role": "system", "content": render("system", language=language)},
        *({"role": role, "content": "\n\n".join(text for _, text in texts)} for role, texts in turns),
    ]


def _evidence(number: int, passage: Passage) -> str:
    lines = [line for line in (passage.heading, passage.question, quotable_text(passage)) if line]
    return f'<passage number="{number}">\n' + _data("\n".join(lines)) + "\n</passage>"


def quotable_text(passage: Passage) -> str:
    """What of the passage may be shown: its text, or the sentences that the guards passed when some did not."""
    if all(sentence.quotable for sentence in passage.sentences):
        return passage.text
    return " ".join(sentence.text for sentence in passage.sentences if sentence.quotable)


def _data(text: str) -> str:
    """Text that cannot be taken for the marks around it."""
    return _TAG.sub("‹", text)
