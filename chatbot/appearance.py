"""How a site's chat looks and what it offers (`Site.widget`): read from what is stored, checked when it is written.

Every field has a title, a default and limits, from which the site's form is made. Knows nothing of sites and sockets.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from chatbot.turn import Language

SWITCHES = ("follow_ups", "show_sources", "uploads", "feedback", "csat", "transcript")
"""What is offered unless a site turns it off."""
MOST_FIELDS, MOST_QUESTIONS, MOST_CHOICES = 8, 6, 12

Line = Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)]
Paragraph = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200)]
Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120)]
Choice = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=60)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Texts(_Part):
    """A short text in both languages; an empty one falls back to the other, both empty to the widget's own words."""

    zh: Line = Field("", title="Chinese")
    en: Line = Field("", title="English")

    def __getitem__(self, language: Language) -> str:
        return (self.zh or self.en) if language == "zh" else (self.en or self.zh)


class Greeting(Texts):
    """What stands above the first question, in both languages; empty: the widget's own words."""

    zh: Paragraph = Field("", title="Chinese")
    en: Paragraph = Field("", title="English")


class Questions(_Part):
    """Questions to begin with, by language; an empty list falls back to nothing: nobody is asked in a foreign one."""

    zh: list[Question] = Field([], title="Chinese", max_length=MOST_QUESTIONS)
    en: list[Question] = Field([], title="English", max_length=MOST_QUESTIONS)

    def __getitem__(self, language: Language) -> list[str]:
        return self.zh if language == "zh" else self.en


class PreChatField(_Part):
    """One thing that customers are asked before the chat. `name`, `email` and `phone` are masked as what they are."""

    name: str = Field(title="Name", pattern=r"^[a-z][a-z0-9_]{0,31}$")
    label: Texts = Field(title="Label")
    kind: Literal["text", "email", "phone", "choice"] = Field("text", title="Kind")
    required: bool = Field(False, title="Required")
    choices: list[Choice] = Field([], title="Choices", max_length=MOST_CHOICES)

    @model_validator(mode="after")
    def _can_be_answered(self) -> "PreChatField":
        if self.kind == "choice" and len(self.choices) < 2:
            raise ValueError(f"{self.name}: a choice needs at least two choices")
        if not self.label["en"]:
            raise ValueError(f"{self.name}: the label is missing")
        return self


class Appearance(_Part):
    """All of it. Attributes of the script tag win over what is said here."""

    colour: str = Field("", title="Colour", pattern=r"^(#[0-9a-fA-F]{6})?$", description="such as #1f6b54; empty: blue")
    side: Literal["right", "left"] = Field("right", title="Side of the page")
    theme: Literal["auto", "light", "dark"] = Field("auto", title="Theme", description="auto: as the customer's system")
    launcher: Texts = Field(Texts(), title="Text on the button", description="empty: the icon alone")
    greeting: Greeting = Field(Greeting(), title="Greeting")
    pre_chat: list[PreChatField] = Field([], title="Form before the chat", max_length=MOST_FIELDS)
    suggested: Questions = Field(Questions(), title="Suggested first questions")
    follow_ups: bool = Field(True, title="Suggest related questions under an answer")
    show_sources: bool = Field(True, title="Show the sources of an answer")
    uploads: bool = Field(True, title="Customers may send files")
    feedback: bool = Field(True, title="Thumbs under answers")
    csat: bool = Field(True, title="Ask for a rating at the end")
    transcript: bool = Field(True, title="Customers may take the conversation with them")
    sound: bool = Field(False, title="A sound for new messages", description="each customer can turn it on or off")

    @model_validator(mode="after")
    def _once(self) -> "Appearance":
        names = [field.name for field in self.pre_chat]
        if len(set(names)) < len(names):
            raise ValueError("pre_chat: two fields have the same name")
        return self

    def look(self, language: Language) -> dict[str, Any]:
        """Return what the closed widget needs to know; nothing of a default."""
        return _told(
            colour=self.colour,
            side=self.side if self.side != "right" else "",
            theme=self.theme if self.theme != "auto" else "",
            launcher=self.launcher[language],
        )

    def offer(self, language: Language, *, profile: bool) -> dict[str, Any]:
        """Return what the open widget needs besides; `profile`: the form before the chat has been filled in."""
        fields = [
            _told(
                name=field.name,
                label=field.label[language],
                kind=field.kind,
                required=field.required,
                choices=field.choices if field.kind == "choice" else [],
            )
            for field in self.pre_chat
        ]
        off = [name for name in SWITCHES if not getattr(self, name)]
        return self.look(language) | _told(
            greeting=self.greeting[language],
            questions=self.suggested[language],
            form=[] if profile else fields,
            sound=self.sound,
            off=off,
        )


def parse(value: object) -> Appearance:
    """Return what `value` (of Site.widget) says. Raises ValueError, which says what is wrong where."""
    try:
        return Appearance.model_validate(value)
    except ValidationError as error:
        raise ValueError("; ".join(_said(problem) for problem in error.errors())) from None


def read(value: object) -> Appearance:
    """Return what `value` says; what of it cannot be understood (another version wrote it) is as if it were absent."""
    kept = {str(name): part for name, part in value.items()} if isinstance(value, dict) else {}
    while True:
        try:
            return Appearance.model_validate(kept)
        except ValidationError as error:
            wrong = {str(problem["loc"][0]) for problem in error.errors() if problem["loc"]}
            # What names no place is a rule about the whole, and only the form before the chat has one.
            kept = {name: kept[name] for name in kept if name not in (wrong or {"pre_chat"})}


def _told(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value}


def _said(problem: Any) -> str:
    place = ".".join(str(part) for part in problem["loc"])
    message = re.sub("^Value error, ", "", problem["msg"])
    return f"{place}: {message}" if place else message
