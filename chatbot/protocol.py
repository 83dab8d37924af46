"""The JSON frames between widget and server, version 1: what may come in, and the shape of what goes out.

Client to server (one JSON object a text frame)
    {"type": "hello", "protocol": 1, "key": SITE, "token": "" or the last one, "after": last seq or 0,
     "language": "zh" | "en", "user": "" or what the site signed about its user (users.py), "device": with "user", a
     secret of 16 to 64 characters that this browser made up and keeps}
    {"type": "say", "id": a UUID of its own, "text": …}    {"type": "stop"}    {"type": "ping"}
Server to client, without a number
    welcome {protocol, conversation, token, seq, limit, language, site, fresh}    pong {}
    service {state: ok | degraded}
    error {code, message, id, retry_after, fatal}
Server to client, numbered by `seq`, which strictly grows; a client that reconnects says the last one it saw
    message {message: {id, client_id, role, author, text, at, sources, outcome, reason, reply_to}}   finished;
        role system: the owner changed (reason joined, transferred, left); what the bot was saying is dropped
    status {reply, stage}                   the bot is searching, checking or writing
    reply {reply, part, text, replace}      whole released units; `replace` drops all parts shown before
"""

import re
from dataclasses import dataclass
from typing import Any, Literal

import orjson

VERSION = 1
CLOSE_BAD_HELLO, CLOSE_NO_HELLO, CLOSE_REFUSED, CLOSE_TOO_FAST = 4400, 4401, 4403, 4429
CLOSE_TOO_MANY, CLOSE_GONE = 4409, 4410


_UUID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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


@dataclass(frozen=True)
class Say:
    id: str
    text: str


@dataclass(frozen=True)
class Stop:
    pass


@dataclass(frozen=True)
class Ping:
    pass


Frame = Hello | Say | Stop | Ping


def read_frame(text: str, *, longest: int) -> Frame:
    """Return the frame in `text`. `longest` bounds a message's characters. Raises FrameError.

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
            return _say(data, longest)
        case "hello":
            return _hello(data)
        case "stop":
            return Stop()
        case "ping":
            return Ping()
    raise FrameError("unknown_type")


def _say(data: dict[str, Any], longest: int) -> Say:
    identity, text = data.get("id"), data.get("text")
    if not isinstance(identity, str) or not _UUID.fullmatch(identity):  # it is stored and sent back as it is
        raise FrameError("unknown_type")
    if not isinstance(text, str):
        raise FrameError("empty", identity)
    if len(text) > longest:
        raise FrameError("too_long", identity)
    text = "".join(c for c in text if c >= " " or c in "\n\t").replace("\x7f", "").strip()
    if not any(c.isprintable() and not c.isspace() for c in text):
        raise FrameError("empty", identity)
    return Say(identity, text)


def _hello(data: dict[str, Any]) -> Hello:
    key, token, after = data.get("key"), data.get("token", ""), data.get("after", 0)
    language = "zh" if str(data.get("language", "")).lower().startswith("zh") else "en"
    if data.get("protocol") != VERSION or not isinstance(key, str) or not isinstance(token, str):
        raise FrameError("bad_hello")
    if not key.isprintable():  # PostgreSQL takes no NUL
        raise FrameError("bad_hello")
    user, device = data.get("user", ""), data.get("device", "")
    if not isinstance(user, str) or not isinstance(device, str) or (user and not 16 <= len(device) <= 64):
        raise FrameError("bad_hello")
    if isinstance(after, bool) or not isinstance(after, int) or not 0 <= after < 2**53:
        raise FrameError("bad_hello")
    return Hello(key[:64], token[:2048], after, "zh" if language == "zh" else "en", user[:4096], device[:64])


def frame(type_: str, **fields: Any) -> str:
    """Return an unnumbered server frame."""
    return orjson.dumps({"type": type_, **fields}).decode()
