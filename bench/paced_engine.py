"""An engine played by an ASGI application: so many tokens a second to each reply, in words of chance.

usage: KEFU_BENCH_STAMPS=FILE python -m bench.paced_engine PORT TOKENS_A_SECOND
It speaks as much of OpenAI's API, and of vLLM's beyond it, as bench/gpu_stack.py needs to be tried without a GPU.
"""

import asyncio
import json
import random
import sys
import time
from itertools import islice

import uvicorn

from bench.chance import SENTENCE, words
from bench.engine_stamps import Message, Receive, Send, Stamps

KNOWN = list(islice(words(), 20_000))


class Engine:
    """Answers `/v1/chat/completions` with `max_tokens` tokens, each `1 / rate` seconds after the one before."""

    def __init__(self, rate: float) -> None:
        self._rate, self._made = rate, 0

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request."""
        match scope["path"]:
            case "/v1/chat/completions":
                await self._write(receive, send)
            case "/metrics":
                await _say(send, f'vllm:generation_tokens_total{{model_name="m"}} {self._made}\n'.encode())
            case _:
                await _say(send, b"{}")

    async def _write(self, receive: Receive, send: Send) -> None:
        body = b""
        while (message := await receive()).get("more_body"):
            body += message["body"]
        asked = json.loads(body + message["body"])
        gone = asyncio.create_task(receive())
        await send(_head(b"text/event-stream"))
        due = time.monotonic()
        for _ in range(asked["max_tokens"]):
            due += 1 / self._rate
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            if gone.done():
                return
            self._made += 1
            word = " " + random.choice(KNOWN) + "." * (random.random() < 1 / SENTENCE)
            await send(_part(_event({"delta": {"content": word}, "finish_reason": None})))
        gone.cancel()
        await send(_part(_event({"delta": {"content": ""}, "finish_reason": "length"})))
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})


def _head(content_type: bytes) -> Message:
    return {"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]}


def _part(body: bytes) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": True}


def _event(choice: dict[str, object]) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0} | choice]}).encode() + b"\n\n"


async def _say(send: Send, body: bytes) -> None:
    await send(_head(b"text/plain"))
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    port, rate = int(sys.argv[1]), float(sys.argv[2])
    uvicorn.run(Stamps(Engine(rate)), host="127.0.0.1", port=port, log_level="warning", lifespan="off")
