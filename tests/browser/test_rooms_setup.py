"""Setting up in a real browser: a site is made, its code put on a shop's page, and the chat there answers."""

import json
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from bench.agents import session_cookie
from bench.server import Server, running
from tests.patience import PATIENCE

pytestmark = pytest.mark.browser

NOT_HERE = "This web site is not allowed to use this chat."
PHONE = {"width": 390, "height": 780}
ROOMS = ("insights/", "sites/", "sites/new/", "people/", "people/new/", "system/", "system/programs/", "welcome/shop/")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with running() as server:
        yield server


@pytest.fixture(scope="module")
def cookie(server: Server) -> str:
    made = json.loads(server.command("staff", "add", "root", "--role", "administrator"))
    return session_cookie(server.address, "root", made["password"]).removeprefix("sessionid=")


@pytest.fixture
def context(browser: Browser, server: Server, cookie: str) -> Iterator[BrowserContext]:
    context = browser.new_context(base_url=server.address)
    names = {"sessionid": cookie, "django_language": "en"}
    context.add_cookies([{"name": name, "value": value, "url": server.address} for name, value in names.items()])
    context.set_default_timeout(1000 * PATIENCE)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    problems: list[str] = []
    page = context.new_page()
    page.on("pageerror", lambda error: problems.append(str(error)))
    yield page
    assert not problems


class Shop:
    """A shop's page on a server of its own: another origin than Kefu's."""

    def __init__(self) -> None:
        shop = self
        self.page = ""

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.end_headers()
                self.wfile.write(shop.page.encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop()
    yield shop
    shop.server.shutdown()
    shop.server.server_close()


def answer_of(page: Page, question: str) -> str:
    """Ask in the chat of the page; return the whole answer."""
    if not page.locator("kefu-chat .panel").is_visible():
        page.locator("kefu-chat .launcher").click()
    page.locator("kefu-chat textarea").fill(question)
    page.keyboard.press("Enter")
    bubble = page.locator("kefu-chat .message .bubble").nth(1)
    expect(bubble).to_contain_text("working days")
    return bubble.inner_text()


def test_a_site_is_made_embedded_and_answers_where_it_may(page: Page, context: BrowserContext, shop: Shop) -> None:
    page.goto("/staff/sites/new/")
    page.get_by_label("Name of the shop").fill("Mountain Goods")
    page.get_by_label("Knowledge base", exact=True).select_option("demo")
    page.get_by_role("button", name="Create").click()
    expect(page.get_by_role("heading", name="Mountain Goods")).to_be_visible()
    line = page.locator("#code").inner_text()
    assert re.fullmatch(r'<script src="\S+/kefu\.js" data-key="mountain-goods-\w+" async></script>', line)

    shop.page = f"<!doctype html><html lang=en><body><h1>Shop</h1>{line}</body></html>"
    customer = context.new_page()
    customer.goto(shop.origin)
    customer.locator("kefu-chat .launcher").click()
    expect(customer.locator("kefu-chat .panel")).to_contain_text(NOT_HERE)

    page.get_by_role("link", name="Settings").first.click()
    page.get_by_label("Pages that may embed it").fill(shop.origin)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    customer.goto(shop.origin)
    answer_of(customer, "How long does a refund take?")


def test_the_preview_shows_the_chat_and_follows_the_form(page: Page, context: BrowserContext) -> None:
    page.goto("/staff/sites/1/look/")
    launcher = page.locator("kefu-chat .launcher")
    expect(launcher).to_be_visible()
    page.get_by_label("Left", exact=True).check()
    page.get_by_label("A colour of our own").check()
    page.locator("[type=color]").fill("#aa3300")
    expect(launcher).to_have_css("background-color", "rgb(170, 51, 0)")
    box = launcher.bounding_box()
    assert box is not None
    assert box["x"] < 400
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.goto("/staff/sites/1/preview/?language=en")
    expect(launcher).to_have_css("background-color", "rgb(170, 51, 0)")
    answer_of(page, "How long does a refund take?")


def test_hours_are_filled_in_by_hand(page: Page) -> None:
    page.goto("/staff/sites/1/hours/")
    page.get_by_label("By the week").check()
    page.get_by_label("Time zone").fill("Asia/Shanghai")
    page.get_by_label("Monday from").fill("09:00")
    page.get_by_label("Monday to").fill("12:00")
    page.get_by_role("button", name="Add hours").first.click()
    page.get_by_label("Monday from").nth(1).fill("13:00")
    page.get_by_label("Monday to").nth(1).fill("18:00")
    page.get_by_role("button", name="Tuesday to Friday as Monday").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    for day in ("Monday", "Friday"):
        expect(page.get_by_label(f"{day} to").nth(1)).to_have_value("18:00")
    page.get_by_label("By the week").focus()
    page.get_by_label("People answer at any time").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("People answer at any time")).to_be_checked()


def test_everything_fits_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)  # type: ignore[arg-type]  # a dictionary of that shape
    for room in (*ROOMS, "sites/1/", "sites/1/hours/", "sites/1/look/", "sites/1/data/"):
        page.goto(f"/staff/{room}")
        expect(page.locator("main")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, room
