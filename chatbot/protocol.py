"""The JSON frames between widget and server, version 1: what may come in, and the shape of what goes out.

Client to server (one JSON object a text frame)
    {"type": "hello", "protocol": 1, "key": SITE, "token": "" or the last one, "after": last seq or 0,
     "language": "zh" | "en" | "zh-hant" (or any tag of those), "user": "" or what the site signed about its user
     (users.py), "device": with "user", a secret of 16 to 64 characters that this browser made up and keeps}
    {"type": "say", "id": a UUID of its own, "text": …, "files": [] or up to 5 ids of uploads (files.py); "text" may be
     "" then}
    {"type": "edit", "id": that of an own `say`, "text": …}    while nobody has answered it
    {"type": "delete", "id": that of an own `say`}              for a quarter of an hour
    {"type": "stop"}    {"type": "ping"}
  and what is answered by `done` or `error` with its `id`, a UUID of its own:
    {"type": "profile", "id", "values": {name: text}}           the form before the chat, filled in
    {"type": "feedback", "id", "message", "helpful", "reason", "comment"}   a thumb on a message of the bot's; why it is
        down: incorrect, incomplete, outdated, off_topic, other or "". The last one counts
    {"type": "rate", "id", "score": 1 to 5, "comment"}          the conversation as a whole. The last one counts
    {"type": "passage", "id", "message", "number"}              what stands behind a source of a message
    {"type": "related", "id", "message"}                        questions close to the one that was answered
    {"type": "earlier", "id", "before": id of a message}        what was said before it
    {"type": "link", "id", "file"}                              a fresh address of a file of this conversation
    {"type": "transcript", "id", "email"}                       by e-mail, or here and now when that is ""
Server to client, without a number
    welcome {protocol, conversation, token, seq, limit, language, languages, site, bot, fresh, widget, mail, away}
        `widget` is what differs from the defaults (appearance.py); `mail` says whether transcripts can be sent; `away`
        is a sentence when people are away by the site's hours, else ""
    pong {}
    done {id, …}        with: passage {document, heading, ref, text}; related {questions}; earlier {messages, more};
        link {url}; transcript {text} when it is not sent by e-mail
    service {state: ok | degraded}
    waiting {state: none | waiting | message | taken, place, seconds, opens, people, text}    when a person is needed,
        and on every change: `place` in the queue from 1, `seconds` that are left to wait, `opens` when people are back
        (ISO 8601), `people` whether agents are at their consoles; null: unknown, or does not apply; `text` says it in
        the customer's language, "" for nothing
    typing {author}     an agent is writing
    error {code, message, id, retry_after, fatal}
Server to client, numbered by `seq`, which strictly grows; a client that reconnects says the last one it saw
    message {message: {id, client_id, role, author, text, at, sources, outcome, reason, reply_to, files, edited,
        deleted}}   finished; one that comes again takes the place of that with its id; shown in the order of `at`.
        role system (reason joined, transferred, left, ended, expired: the owner changed), and a customer's message that
        was edited or deleted (withdrawn, its text is ""): what the bot was saying is dropped
        role system, reason closed: people are away; the text says when they are back
    status {reply, stage}                   the bot is searching, checking or writing
    reply {reply, part, text, replace}      whole released units; `replace` drops all parts shown before
"""

import re
from dataclasses import dataclass
from typing import Any, Literal, get_args

import orjson

VERSION = 1
CLOSE_BAD_HELLO, CLOSE_NO_HELLO, CLOSE_REFUSED, CLOSE_TOO_FAST = 4400, 4401, 4403, 4429
CLOSE_TOO_MANY, CLOSE_GONE = 4409, 4410


MOST_VALUES, LONGEST_VALUE, LONGEST_COMMENT = 16, 200, 1000

_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Reason = Literal["incorrect", "incomplete", "outdated", "off_topic", "other", ""]


class FrameError(Exception):
    """A frame that cannot be understood; `code` names the wording that the customer sees."""

    def __init__(self, code: str, frame_id: str | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.frame_id = frame_id


@dataclass(frozen=True)
class Hello:
    key: str
    token: str
    after: int
    language: Literal["zh", "en"]
    user: str = ""
    device: str = ""
    traditional: bool = False


@dataclass(frozen=True)
class Say:
    id: str
    text: str
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Edit:
    id: str
    text: str


@dataclass(frozen=True)
class Delete:
    id: str


@dataclass(frozen=True)
class Profile:
    id: str
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Feedback:
    id: str
    message: str
    helpful: bool
    reason: Reason = ""
    comment: str = ""


@dataclass(frozen=True)
class Rate:
    id: str
    score: int
    comment: str = ""


@dataclass(frozen=True)
class Passage:
    id: str
    message: str
    number: int


@dataclass(frozen=True)
class Related:
    id: str
    message: str


@dataclass(frozen=True)
class Earlier:
    id: str
    before: str


@dataclass(frozen=True)
class Link:
    id: str
    file: str


@dataclass(frozen=True)
class Transcript:
    id: str
    email: str = ""


@dataclass(frozen=True)
class Stop:
    pass


@dataclass(frozen=True)
class Ping:
    pass


Asked = Profile | Feedback | Rate | Passage | Related | Earlier | Link | Transcript
"""What is answered by `done`."""
Frame = Hello | Say | Edit | Delete | Asked | Stop | Ping


def read_frame(text: str, *, longest: int, most_files: int = 5) -> Frame:
    """Return the frame in `text`. `longest` bounds a message's characters, `most_files` its files. Raises FrameError.

    NUL and other control characters (but newline and tab) are dropped from what the customer says.
    """
    if len(text) > 12 * longest + 8192:  # a character outside the BMP may come as two escapes of six
        raise FrameError("too_long")
    try:
        data = orjson.loads(text)
    except ValueError:  # also lone surrogates, which are no UTF-8
        raise FrameError("invalid_json") from None
    if not isinstance(data, dict):
        raise FrameError("invalid_json")
    match data.get("type"):
        case "say":
            return _say(data, longest, most_files)
        case "hello":
            return _hello(data)
        case "edit":
            said = _say({**data, "files": []}, longest, 0)
            return Edit(said.id, said.text)
        case "delete":
            return Delete(_identity(data))
        case "profile" | "feedback" | "rate" | "passage" | "related" | "earlier" | "link" | "transcript" as kind:
            return _asked(kind, data)
        case "stop":
            return Stop()
        case "ping":
            return Ping()
    raise FrameError("unknown_type")


def _say(data: dict[str, Any], longest: int, most_files: int) -> Say:
    identity, text = _identity(data), data.get("text")
    if not isinstance(text, str):
        raise FrameError("empty", identity)
    if len(text) > longest:
        raise FrameError("too_long", identity)
    files = data.get("files", [])
    if not isinstance(files, list) or not all(isinstance(file, str) and _UUID.fullmatch(file) for file in files):
        raise FrameError("files_gone", identity)
    if len(files) > most_files or len(set(files)) < len(files):
        raise FrameError("too_many_files", identity)
    text = _clean(text)
    if not any(c.isprintable() and not c.isspace() for c in text):
        if not files:
            raise FrameError("empty", identity)
        text = ""
    return Say(identity, text, tuple(files))


def _clean(text: str) -> str:
    return "".join(c for c in text if c >= " " or c in "\n\t").replace("\x7f", "").strip()


def _asked(kind: str, data: dict[str, Any]) -> Asked:
    identity = _identity(data)
    match kind:
        case "profile":
            return Profile(identity, _values(data.get("values"), identity))
        case "feedback":
            helpful, reason = data.get("helpful"), data.get("reason", "")
            if not isinstance(helpful, bool) or reason not in get_args(Reason):
                raise FrameError("unknown_type", identity)
            return Feedback(identity, _identity(data, "message"), helpful, reason, _comment(data, identity))
        case "rate":
            return Rate(identity, _number(data, "score", 5), _comment(data, identity))
        case "passage":
            return Passage(identity, _identity(data, "message"), _number(data, "number", 99))
        case "related":
            return Related(identity, _identity(data, "message"))
        case "earlier":
            return Earlier(identity, _identity(data, "before"))
        case "link":
            return Link(identity, _identity(data, "file"))
    email = data.get("email", "")
    if not isinstance(email, str) or len(email) > 254:
        raise FrameError("bad_email", identity)
    return Transcript(identity, _clean(email))


def _values(values: object, identity: str) -> tuple[tuple[str, str], ...]:
    if not isinstance(values, dict) or len(values) > MOST_VALUES:
        raise FrameError("form_incomplete", identity)
    if not all(isinstance(value, str) and len(value) <= LONGEST_VALUE for value in values.values()):
        raise FrameError("form_incomplete", identity)
    return tuple((name, _clean(value)) for name, value in values.items())


def _comment(data: dict[str, Any], identity: str) -> str:
    comment = data.get("comment", "")
    if not isinstance(comment, str):
        raise FrameError("unknown_type", identity)
    return _clean(comment[:LONGEST_COMMENT])


def _number(data: dict[str, Any], name: str, most: int) -> int:
    number = data.get(name)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= most:
        raise FrameError("unknown_type", data["id"])
    return number


def _identity(data: dict[str, Any], name: str = "id") -> str:
    identity = data.get(name)
    if not isinstance(identity, str) or not _UUID.fullmatch(identity):  # it is stored and sent back as it is
        raise FrameError("unknown_type")
    return identity


def _hello(data: dict[str, Any]) -> Hello:
    key, token, after = data.get("key"), data.get("token", ""), data.get("after", 0)
    tag = str(data.get("language", "")).lower()
    language = "zh" if tag.startswith("zh") else "en"
    if data.get("protocol") != VERSION or not isinstance(key, str) or not isinstance(token, str):
        raise FrameError("bad_hello")
    if not key.isprintable():  # PostgreSQL takes no NUL
        raise FrameError("bad_hello")
    user, device = data.get("user", ""), data.get("device", "")
    if not isinstance(user, str) or not isinstance(device, str) or (user and not 16 <= len(device) <= 64):
        raise FrameError("bad_hello")
    if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**53:
        raise FrameError("bad_hello")
    traditional = re.match("zh.*-(hant|tw|hk|mo)", tag) is not None
    return Hello(
        key[:64], token[:2048], after, "zh" if language == "zh" else "en", user[:4096], device[:64], traditional
    )


def frame(type_: str, **fields: Any) -> str:
    """Return an unnumbered server frame."""
    return orjson.dumps({"type": type_, **fields}).decode()
