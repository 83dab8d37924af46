"""The form of a site's appearance, made of the fields of chatbot/appearance.py: whatever is added there shows up here.

Pure: knows no page. A part's fields are named `part.zh`, `part.en`; of the form before the chat, `pre_chat.name` and so
on, one of each a line.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic.fields import FieldInfo

from chatbot.appearance import Appearance, Greeting, PreChatField, Questions, Texts

Kind = Literal["colour", "choice", "switch", "line", "texts", "paragraphs", "questions", "form"]
Lists = Callable[[str], Sequence[str]]
KINDS = get_args(PreChatField.model_fields["kind"].annotation)
EMPTY_LINES = 1
"""How many empty lines of the form before the chat are shown."""


@dataclass(frozen=True)
class Field:
    """One field of the form: `title` and `help` are the model's own, where the room has no words for it."""

    name: str
    kind: Kind
    title: str
    help: str
    value: Any
    choices: tuple[str, ...] = ()


def fields(look: Appearance) -> list[Field]:
    """Return the form as it stands."""
    return [
        Field(
            name,
            kind := _kind(name, info),
            info.title or name,
            info.description or "",
            getattr(look, name),
            tuple(get_args(info.annotation)) if kind == "choice" else (),
        )
        for name, info in Appearance.model_fields.items()
    ]


def read(lists: Lists) -> dict[str, Any]:
    """Return what was filled in, as appearance.parse takes it."""
    return {name: _value(name, _kind(name, info), lists) for name, info in Appearance.model_fields.items()}


def problems(value: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what is wrong with what was filled in: (field, why in the model's words); nothing when all is well."""
    try:
        Appearance.model_validate(value)
    except ValidationError as error:
        return [
            (str(problem["loc"][0]) if problem["loc"] else "pre_chat", problem["msg"].removeprefix("Value error, "))
            for problem in error.errors()
        ]
    return []


def _kind(name: str, info: FieldInfo) -> Kind:
    kind = info.annotation
    if kind is bool:
        return "switch"
    if get_origin(kind) is Literal:
        return "choice"
    if kind is Greeting:
        return "paragraphs"
    if kind is Texts:
        return "texts"
    if kind is Questions:
        return "questions"
    if get_args(kind) == (PreChatField,):
        return "form"
    return "colour" if name == "colour" else "line"


def _value(name: str, kind: Kind, lists: Lists) -> Any:
    match kind:
        case "switch":
            return bool(lists(name))
        case "colour":
            return _one(lists, name) if lists(f"{name}.own") else ""
        case "texts" | "paragraphs":
            return {language: _one(lists, f"{name}.{language}") for language in ("zh", "en")}
        case "questions":
            return {language: _lines(_one(lists, f"{name}.{language}")) for language in ("zh", "en")}
        case "form":
            return list(_asked(name, lists))
    return _one(lists, name)


def _asked(name: str, lists: Lists) -> Any:
    columns = [lists(f"{name}.{part}") for part in ("name", "zh", "en", "kind", "required", "choices")]
    for place, (key, zh, en, kind, required, choices) in enumerate(zip(*columns, strict=False)):
        if zh.strip() or en.strip():
            asked = {"label": {"zh": zh, "en": en}, "kind": kind, "required": required == "yes"}
            yield asked | {"name": key or f"{kind}{place + 1}", "choices": _lines(choices.replace("|", "\n"))}


def _one(lists: Lists, name: str) -> str:
    return next(iter(lists(name)), "").strip()


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
