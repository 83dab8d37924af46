"""The widget on a real Kefu whose network is cut in the middle of an answer, and whose page is loaded anew there."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.engine_server import EngineServer, Exchange
from bench.server import Server, running
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

CUT_SECONDS = 20
PACE = 0.7


def slowly(exchange: Exchange) -> None:
    """Quote what the prompt holds, a few letters at a time, for longer than the cut."""
    prompt = exchange.body["messages"][-1]["content"]
    sentences = re.findall(r"[^.。!！?？\n]{12,}[.。!！?？]", prompt.partition("<customer_question")[0])
    exchange.start()
    exchange.delta("", role="assistant")
    began = time.monotonic()
    for sentence in sentences:
        for part in re.findall(".{1,4}", f"{sentence.strip()}[1]"):
            exchange.delta(part)
            if exchange.wait(PACE):
                return
        exchange.delta("\n")
        if time.monotonic() - began > CUT_SECONDS + 8:
            break
    exchange.finish()


class Road:
    """A TCP proxy that can be cut: all lines end, and no new one comes through."""

    def __init__(self, address: str) -> None:
        self._target = (urlsplit(address).hostname, urlsplit(address).port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lines: list[socket.socket] = []
        self.is_open = True
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        self.is_open = False
        for line in self._lines:
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
        self._lines.clear()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near = self._listener.accept()[0]
                if not self.is_open:
                    near.close()
                    continue
                far = socket.create_connection(self._target)
                self._lines += [near, far]
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=self._pump, args=(one, other), daemon=True).start()

    @staticmethod
    def _pump(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                other.sendall(data)
        for end in (one, other):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        self.cut()
        self._listener.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    engine = EngineServer(slowly)
    options = {
        "KEFU_ENGINE": "openai",
        "KEFU_ENGINE_URL": engine.url,
        "KEFU_ENGINE_MODEL": "scripted",
        "KEFU_ANSWER_SECONDS": "120",
        "KEFU_LEAVE_SECONDS": "60",
    }
    with engine.running(), running(options) as server:
        yield server


@pytest.fixture
def road(server: Server) -> Iterator[Road]:
    road = Road(server.address)
    yield road
    road.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(2000 * PATIENCE)
    yield context.new_page()
    context.close()


def begin(page: Page, road: Road) -> str:
    """Ask, and return what has come of the answer when a bit of it is there."""
    page.goto(f"{road.address}/?lang=zh")
    page.locator("kefu-chat .launcher").click()
    page.locator("kefu-chat textarea").first.fill("请问退款一般多久能到账呢？")
    page.keyboard.press("Enter")
    answer = page.locator("kefu-chat .message .bubble").nth(1)
    expect(answer).to_have_text(re.compile("。"))
    expect(page.locator("kefu-chat .message").nth(1)).to_have_attribute("data-state", "streaming")
    return answer.inner_text()


def is_whole(page: Page, server: Server, first: str) -> None:
    """Wait for the end; what is shown is what was recorded, and begins as it began."""
    expect(page.locator("kefu-chat .message").nth(1)).to_have_attribute("data-state", "sent")
    expect(page.get_by_role("button", name="有帮助", exact=True)).to_have_count(1)
    assert page.locator("kefu-chat .message").count() == 2
    shown = page.locator("kefu-chat .message .bubble").nth(1).inner_text()
    told = "from chatbot.models import Message; print(repr(Message.objects.filter(role='bot').last().text))"
    recorded = server.command("shell", "-c", told).splitlines()[-1]
    assert words(shown) == words(eval(recorded))
    assert words(shown).startswith(words(first))
    assert len(words(shown)) > len(words(first))


def words(text: str) -> str:
    """The text without marks and blanks."""
    return re.sub(r"[\s\u2060*-]|\[?\b\d\]?(?![\d-])", "", text)


def test_a_cut_of_twenty_seconds_in_mid_stream_loses_and_repeats_nothing(
    server: Server, road: Road, page: Page
) -> None:
    first = begin(page, road)
    road.cut()
    page.context.set_offline(True)
    expect(page.locator("kefu-chat .banner").first).to_contain_text("网络已断开")
    time.sleep(CUT_SECONDS)  # it is the cut itself that lasts so long
    road.is_open = True
    page.context.set_offline(False)
    is_whole(page, server, first)
    expect(page.locator("kefu-chat .banner").first).to_have_text("")


def test_a_page_loaded_anew_in_mid_stream_goes_on(server: Server, road: Road, page: Page) -> None:
    first = begin(page, road)
    page.reload()
    is_whole(page, server, first)
