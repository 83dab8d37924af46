"""Pictures of every room, taken from a running Kefu with an invented busy shop: `make screenshots` fills docs/.

`python -m bench.screens [--to DIR] [--only inbox,why] [--all]`; --all: each page light and dark, zh and en, wide and on
a phone; without it one picture a page. Needs Chromium (KEFU_CHROMIUM, or on PATH).
"""

import argparse
import os
import shutil
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from bench.rooms import PASSWORD, filled
from bench.server import ROOT, Server, running

SIZES = {"wide": (1360, 860), "phone": (390, 800)}
LANGUAGES = {"zh": "zh-Hans", "en": "en"}
PAGES = {
    "inbox": "rooms:inbox",
    "canned": "rooms:inbox_canned",
    "review": "rooms:review",
    "words": "rooms:words",
    "knowledge": "rooms:knowledge_base",
    "document": "rooms:knowledge_document",
    "why": "rooms:why",
    "insights": "rooms:insights",
    "sites": "rooms:sites",
    "people": "rooms:people",
    "system": "rooms:system",
    "audit": "staff:audit",
    "home": "staff:home",
}
"""Pictures by route; of the rest, `--all` takes pictures under their routes' names."""


def chromium() -> str:
    """Return the path of a Chromium. Raises SystemExit when there is none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
    path = os.environ.get("KEFU_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    if not path:
        raise SystemExit("no Chromium: install one or set KEFU_CHROMIUM to its path")
    return path


def signed_in(browser: Browser, server: Server, *, size: str, language: str, theme: str) -> Page:
    """Return a page that is signed in as an administrator and reads in that language."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=theme, locale=LANGUAGES[language],
        reduced_motion="reduce", base_url=server.address,
    )  # fmt: skip
    page = context.new_page()
    page.goto("/staff/login/")
    page.fill("input[name=username]", "bench")
    page.fill("input[name=password]", PASSWORD)
    page.click("button.main")
    page.wait_for_url("**/staff/**")
    code = LANGUAGES[language].lower()
    if page.locator("html").get_attribute("lang") != code:
        page.evaluate("code => document.querySelector(`button[name=language][value=${code}]`).click()", code)
        page.wait_for_selector(f"html[lang='{code}']")
    return page


def taken(server: Server, folder: Path, *, only: set[str], every: bool) -> Iterator[Path]:
    """Take the pictures; yield their paths."""
    pages = filled(server, conversations=400, chunks=300)
    wanted = {name: pages[route] for name, route in PAGES.items() if route in pages}
    if every:
        wanted |= {route.replace(":", "_"): address for route, address in pages.items() if route not in PAGES.values()}
    wanted = {name: address for name, address in wanted.items() if not only or name in only}
    kinds = product(SIZES, LANGUAGES, ("light", "dark")) if every else [("wide", "zh", "light")]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox", "--disable-gpu"])
        for size, language, theme in kinds:
            page = signed_in(browser, server, size=size, language=language, theme=theme)
            for name, address in wanted.items():
                answer = page.goto(address)
                if answer is None or answer.status != 200 or "html" not in answer.headers.get("content-type", ""):
                    continue
                page.wait_for_load_state("networkidle")
                path = folder / (f"{name}.{size}.{language}.{theme}.png" if every else f"{name}.png")
                page.screenshot(path=path)
                yield path
            page.context.close()
        browser.close()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--to", type=Path, default=ROOT / "docs")
    parser.add_argument("--only", default="")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    options.to.mkdir(parents=True, exist_ok=True)
    only = set(filter(None, options.only.split(",")))
    with running() as server:
        for path in taken(server, options.to, only=only, every=options.all):
            print(path, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
