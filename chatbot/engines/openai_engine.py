"""Writes replies with an engine behind an OpenAI-compatible API: vLLM, SGLang, llama.cpp, or a hosted one.

Knows nothing of guards or storage. What a server says of an error is never passed on: it may quote the customer.
"""

import random
import re
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import Any
from urllib.parse import urlsplit

import httpcore2
import orjson
from pydantic import SecretStr

from chatbot.engines import Draft, EngineFailed, Kind, Prompt
from chatbot.engines.budget import fit
from chatbot.engines.control import Harmless
from chatbot.engines.decoding import Decoding
from chatbot.engines.polling import POLL_SECONDS, PollingNetwork
from chatbot.engines.sse import EventTooLong, events
from chatbot.engines.thinking import without_thoughts
from chatbot.engines.tokens import estimate
from chatbot.prompts import PROMPT_VERSION, build_messages

ATTEMPTS = 3
PAUSE_SECONDS = 0.2  # before the second attempt, give or take a half; before the third one twice that
_AGAIN = frozenset[Kind](("connect", "dropped", "busy", "server"))
_LONGEST_PAUSE = 2.0  # a server that asks for more is busy: others may answer meanwhile
_SHORTER = 0.6  # of the tokens that were too many
_ERROR_BYTES = 1 << 14
_IDLE_SECONDS = 4.0  # of a connection; uvicorn closes it after 5
_LAST_BYTES_SECONDS = 0.1  # for what follows the end, so that the connection can be used again
_TOO_LONG = re.compile(
    r"context.{0,9}(?:length|size|window)|too (?:long|many tokens)|longer than the model|max_(?:model|total)_", re.I
)
_REPETITION_OF_ALL = 1.1  # a server counts the prompt, too, whose words are to be quoted


@dataclass(frozen=True)
class Patience:
    """Seconds to wait for a connection, for the first token (all attempts together), each next one, the whole reply."""

    connect: float = 2.0
    first: float = 8.0
    between: float = 8.0
    whole: float = 60.0


class OpenAIEngine:
    """A model behind `url` (such as `http://host:8000/v1`); any number of replies at once, each in its caller's thread.

    `extras`: the server takes vLLM's parameters beyond OpenAI's. `thinking`: its chat template opens a thought that the
    server does not take out of the text. A prompt is cut to about `prompt_tokens`; should the server find it too long,
    once more. What fails before the first token is tried again, with pauses, if that may help; nothing afterwards.
    Raises ValueError for a url that is none, or that bears credentials.
    """

    name = "openai"
    prompt_version = PROMPT_VERSION

    def __init__(
        self,
        url: str,
        model: str,
        *,
        key: SecretStr | None = None,
        extras: bool = True,
        thinking: bool = False,
        prompt_tokens: int = 3072,
        max_new_tokens: int = 320,
        patience: Patience = Patience(),
        connections: int = 512,
    ) -> None:
        self.model = model
        self._url = _checked(url)
        self._key, self._extras, self._thinking = key, extras, thinking
        self._prompt_tokens, self._max_new_tokens, self._patience = prompt_tokens, max_new_tokens, patience
        self._harmless = Harmless()
        self._network = PollingNetwork()
        self._pool = httpcore2.ConnectionPool(
            max_connections=connections, keepalive_expiry=_IDLE_SECONDS, network_backend=self._network
        )

    def stream(self, prompt: Prompt, cancelled: Callable[[], bool]) -> Draft:
        """Yields the reply as deltas, without thoughts; ends within 50 ms of `cancelled()`. Raises `EngineFailed`. The
        draft is `cut` when the server had no room for the end.
        """
        return Draft(self, lambda draft: self._write(prompt, cancelled, draft))

    def healthy(self, seconds: float = 1.0) -> bool:
        """Whether the server answers within that time, and not with an error of its own."""
        end = time.monotonic() + seconds
        watch = _Watch(lambda: False, end, end)
        try:
            with self._request("GET", "/models", b"", watch) as response:
                return bool(response.status < 500)
        except EngineFailed:
            return False

    def close(self) -> None:
        """Closes all connections."""
        self._pool.close()

    def _write(self, prompt: Prompt, cancelled: Callable[[], bool], draft: Draft) -> Generator[str, None, None]:
        start = time.monotonic()
        deadline = min(prompt.deadline, start + self._patience.whole)
        first_by = min(deadline, start + self._patience.first)
        tokens, shortened, tries = self._prompt_tokens, False, count(1)
        while True:
            try:
                watch = _Watch(cancelled, deadline, first_by)
                with closing(self._once(prompt, tokens, watch, draft)) as deltas:
                    yield from without_thoughts(deltas, thinking=self._thinking)
                return
            except _Cancelled:
                return
            except EngineFailed as failure:
                if draft.reply_tokens:
                    raise
                if failure.kind == "context" and not shortened:
                    tokens, shortened = int(_size(self._messages(prompt, tokens)) * _SHORTER), True
                    continue
                attempt = next(tries)
                pause = max(getattr(failure, "after", 0.0), PAUSE_SECONDS * attempt * random.uniform(0.5, 1.5))
                late = time.monotonic() + pause >= first_by
                if failure.kind not in _AGAIN or attempt == ATTEMPTS or pause > _LONGEST_PAUSE or late:
                    raise
            end = time.monotonic() + pause
            while time.monotonic() < end:
                if cancelled():
                    return
                time.sleep(POLL_SECONDS)

    def _once(self, prompt: Prompt, tokens: int, watch: "_Watch", draft: Draft) -> Generator[str, None, None]:
        """The reply's deltas as the server sends them; counts its tokens. Raises `EngineFailed` unless it has ended."""
        finished = ""
        with self._request("POST", "/chat/completions", self._body(prompt, tokens), watch) as response:
            _demand_stream(response)
            chunks = self._chunks(response, watch)
            for data in events(chunks):
                if data == b"[DONE]":
                    finished = finished or "stop"
                    break
                chunk = _parsed(data)
                _count(chunk, draft)
                text, thought, reason = _choice(chunk)
                finished = reason or finished
                if text or thought:
                    draft.reply_tokens += 1
                    watch.wait(self._patience.between)
                if text:
                    yield text
            if not finished:
                raise EngineFailed(f"{self.model} broke off", retryable=True, kind="dropped")
            watch.wait(_LAST_BYTES_SECONDS)
            with suppress(EngineFailed, httpcore2.ProtocolError, httpcore2.NetworkError):
                for _ in chunks:
                    pass
        draft.cut = finished == "length"
        if finished not in ("stop", "length"):
            raise EngineFailed(f"{self.model} ended with another reason", retryable=False, kind="refused")

    def _messages(self, prompt: Prompt, tokens: int) -> list[dict[str, str]]:
        messages = build_messages(fit(prompt, tokens, estimate))
        return [{**message, "content": self._harmless(message["content"])} for message in messages]

    def _body(self, prompt: Prompt, tokens: int) -> bytes:
        body: dict[str, Any] = {
            "model": self.model,
            "messages": self._messages(prompt, tokens),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": self._max_new_tokens,
            **_sampling(prompt.decoding, self._extras),
        }
        return orjson.dumps(body)

    @contextmanager
    def _request(self, method: str, path: str, body: bytes, watch: "_Watch") -> Iterator[httpcore2.Response]:
        headers: dict[bytes | str, bytes | str] = {
            "Accept": "text/event-stream, application/json",
            "Accept-Encoding": "identity",
        }
        if body:
            headers["Content-Type"] = "application/json"
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key.get_secret_value()}"
        seconds = {"connect": self._patience.connect, "write": self._patience.first, "pool": self._patience.connect}
        with _named(self.model):
            self._network.watch(watch.check)
            with self._pool.stream(
                method, self._url + path, headers=headers, content=body or None, extensions={"timeout": seconds}
            ) as response:
                yield response

    def _chunks(self, response: httpcore2.Response, watch: "_Watch") -> Iterator[bytes]:
        chunks = response.iter_stream()
        while True:
            self._network.watch(watch.check)  # other replies may have been read in this thread meanwhile
            chunk = next(chunks, None)
            if chunk is None:
                return
            watch.check()
            yield chunk


class _Cancelled(Exception):
    """The caller wants no more."""


class _Watch:
    """Ends a wait when the caller is gone, or when it has taken too long: `until` for the first, `deadline` for all."""

    def __init__(self, cancelled: Callable[[], bool], deadline: float, until: float) -> None:
        self._cancelled, self._deadline, self._until = cancelled, deadline, until

    def wait(self, seconds: float) -> None:
        """Give the next thing that comes so many seconds from now."""
        self._until = min(self._deadline, time.monotonic() + seconds)

    def check(self) -> None:
        """Raises _Cancelled, and EngineFailed when it is too late."""
        if self._cancelled():
            raise _Cancelled
        if time.monotonic() >= self._until:
            raise EngineFailed("the server took too long", retryable=True, kind="timeout")


class _Busy(EngineFailed):
    """The server asks to be left alone for `after` seconds."""

    def __init__(self, message: str, after: float) -> None:
        super().__init__(message, retryable=True, kind="busy")
        self.after = after


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("the engine's address is no http(s):// address")
    if parts.username or parts.password:
        raise ValueError("the engine's address bears credentials; give a key instead")
    return url.rstrip("/")


def _size(messages: list[dict[str, str]]) -> int:
    return sum(estimate(message["content"]) for message in messages)


def _sampling(decoding: Decoding, extras: bool) -> dict[str, Any]:
    """What the server takes of how to choose tokens; it has no way to forbid repeated n-grams."""
    if decoding.temperature is None:
        chosen: dict[str, Any] = {"temperature": 0.0}
    else:
        chosen = {"temperature": decoding.temperature, "top_p": decoding.top_p}
        if extras:
            chosen["top_k"] = decoding.top_k
    if extras:
        chosen["repetition_penalty"] = min(decoding.repetition_penalty, _REPETITION_OF_ALL)
        chosen["chat_template_kwargs"] = {"enable_thinking": False, "thinking": False}
    return chosen


@contextmanager
def _named(model: str) -> Iterator[None]:
    """What goes wrong on the way, as EngineFailed."""
    kind: Kind
    failed: Exception
    try:
        yield
    except httpcore2.PoolTimeout as error:
        failed, kind = error, "busy"
    except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
        failed, kind = error, "connect"
    except (httpcore2.WriteTimeout, httpcore2.ReadTimeout) as error:
        failed, kind = error, "timeout"
    except (httpcore2.NetworkError, httpcore2.RemoteProtocolError) as error:
        failed, kind = error, "dropped"
    except (httpcore2.ProtocolError, EventTooLong, orjson.JSONDecodeError) as error:
        failed, kind = error, "protocol"
    else:
        return
    retryable = kind in _AGAIN or kind == "timeout"
    raise EngineFailed(f"{model}: {type(failed).__name__}", retryable=retryable, kind=kind) from None


def _demand_stream(response: httpcore2.Response) -> None:
    """Raises `EngineFailed` unless the response is a stream of events."""
    status = response.status
    headers = {name.lower(): value.decode("latin-1") for name, value in response.headers}
    if status == 200:
        if headers.get(b"content-type", "").split(";")[0].strip() != "text/event-stream":
            raise EngineFailed("the server sent no event stream", retryable=False, kind="protocol")
        return
    if status in (429, 503):
        raise _Busy(f"the server answered {status}", _seconds_after(headers.get(b"retry-after", "")))
    if status in (400, 413, 422) and _TOO_LONG.search(_beginning(response)):
        raise EngineFailed("the prompt is too long for the server", retryable=False, kind="context")
    again = status >= 500 or status == 408
    raise EngineFailed(f"the server answered {status}", retryable=again, kind="server" if again else "refused")


def _beginning(response: httpcore2.Response) -> str:
    body = b""
    for chunk in response.iter_stream():
        body += chunk
        if len(body) >= _ERROR_BYTES:
            break
    return body[:_ERROR_BYTES].decode("utf-8", "replace")


def _seconds_after(value: str) -> float:
    """What a Retry-After header asks for, in seconds; 0 when it says nothing."""
    if re.fullmatch(r"\d{1,6}(?:\.\d{1,6})?", value):
        return float(value)
    with suppress(ValueError):
        moment = parsedate_to_datetime(value)
        return max(0.0, ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - datetime.now(UTC)).total_seconds())
    return 0.0


def _parsed(data: bytes) -> dict[str, Any]:
    chunk = orjson.loads(data)
    if not isinstance(chunk, dict):
        raise EngineFailed("the server sent a chunk that is no object", retryable=False, kind="protocol")
    if chunk.get("error"):
        raise EngineFailed("the server reported an error", retryable=True, kind="server")
    return chunk


def _count(chunk: dict[str, Any], draft: Draft) -> None:
    usage = chunk.get("usage")
    if isinstance(usage, dict):
        draft.prompt_tokens = _number(usage.get("prompt_tokens")) or draft.prompt_tokens
        draft.reply_tokens = _number(usage.get("completion_tokens")) or draft.reply_tokens


def _number(value: object) -> int:
    return value if isinstance(value, int) and value > 0 else 0


def _choice(chunk: dict[str, Any]) -> tuple[str, str, str]:
    """(text, thought, finish reason), each empty when the chunk has none. Raises `EngineFailed`."""
    choices = chunk.get("choices") or [{}]
    choice = choices[0] if isinstance(choices, list) else None
    delta = (choice.get("delta") or {}) if isinstance(choice, dict) else None
    if not isinstance(choice, dict) or not isinstance(delta, dict):
        raise EngineFailed("the server sent a chunk of another form", retryable=False, kind="protocol")
    said = delta.get("content") or "", delta.get("reasoning_content") or delta.get("reasoning") or ""
    reason = choice.get("finish_reason") or ""
    if not all(isinstance(text, str) for text in (*said, reason)):
        raise EngineFailed("the server sent a chunk of another form", retryable=False, kind="protocol")
    return said[0].replace("\0", ""), said[1], reason
