"""What the lexicon desk's pages show and answer, in the reader's words."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse

from console.rules import may
from guardrails.verdict import Verdict
from rooms import verdicts
from rooms.pages import page
from rooms.words import selectors, trying
from rooms.words.services import Stale
from rooms.words.wording import WORDS

MOST_LINES = 10_000
"""Lines of an imported file: with more, the database would be kept from customers' messages for too long."""


def full(request: HttpRequest, template: str, tab: str, **context: Any) -> HttpResponse:
    """Render a page of the desk."""
    return page(request, template, "words", WORDS, tab=tab, **shared(request), **context)


def part(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Render a part of a page."""
    return page(request, template, "words", WORDS, **shared(request), **context)


def shared(request: HttpRequest) -> dict[str, Any]:
    """Return what all pages of the desk need."""
    return {
        "may_edit": may(request.user, "edit_words"),
        "levels": [(level, verdicts.level(level)) for level in selectors.ALL_LEVELS],
        "known_categories": verdicts.known(),
    }


def summary(one: selectors.Summary) -> dict[str, Any]:
    """Return a list as its row shows it."""
    words = WORDS.here()
    state = words["off"] if one.active is None else words["live"].format(n=one.active)
    return {
        "list": one,
        "state": words["live_shipped"] if one.active == 0 else state,
        "drafted": words["drafted"].format(n=one.newest) if one.drafted else "",
        "levels": [(level, verdicts.level(level), verdicts.tone(level), count) for level, count in one.levels],
        "transforms": [words.get(f"transform_{name}", name) for name in one.transforms],
    }


def row(one: selectors.Row) -> dict[str, Any]:
    """Return a word as its row shows it."""
    [category] = verdicts.categories([one.category])
    return {"row": one, "level": verdicts.level(one.level), "tone": verdicts.tone(one.level), "category": category}


def change(one: Any) -> dict[str, Any]:
    """Return a change as its row shows it."""
    return {"change": one, "action": WORDS.here().get(f"act_{one.action}", one.action)}


def hit(one: trying.Found) -> dict[str, Any]:
    """Return a word that was found in a text."""
    return {"found": one, **row(selectors.Row(one.hit.source, one.hit.word, one.hit.level, one.hit.category))}


def told(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict as rooms.verdicts wants it."""
    return {
        "action": verdict.action,
        "tier": verdict.tier,
        "categories": verdict.categories,
        "score": verdict.score,
    }


def report(tried: trying.Tried) -> dict[str, Any]:
    """Return what a change does, for the simulator's report."""
    words = WORDS.here()
    return {
        "tried": tried,
        "tried_on": words["tried_on"].format(n=tried.texts),
        "words_new": words["words_new"].format(n=tried.new) if tried.new else "",
        "words_gone": words["words_gone"].format(n=tried.gone) if tried.gone else "",
        "moves": [
            (verdicts.level(one.before), verdicts.level(one.after), verdicts.tone(one.after), one.pieces)
            for one in tried.examples
        ],
        "by_simulated_level": [
            {"name": verdicts.level(each.level), "tone": verdicts.tone(each.level), "level": each,
             "percent": round(100 * each.hit_rate, 2)}
            for each in tried.levels if each.words
        ],
        "lookalikes": [each for level in tried.levels if level.level != "count" for each in level.collisions][:30],
        "disguises": [
            (words.get(f"transform_{each.transform}", each.transform), each.texts, each.found[:5])
            for each in tried.added if each.texts
        ],
        "too_many": tried.new > trying.MOST_WORDS,
    }  # fmt: skip


def reason(error: str) -> str:
    """Return what is wrong, in the reader's words."""
    words = WORDS.here()
    known = {
        "nothing": "bad_empty",
        "too few letters": "bad_empty",
        "longer than": "bad_long",
        "unprintable": "bad_print",
        "level": "bad_level",
        "there is no list": "bad_list",
        "name": "bad_name",
        "no lines": "no_lines",
        "utf8": "bad_utf8",
        "it is there": "bad_there",
    }
    for begin, code in known.items():
        if error.startswith(begin):
            return words[code]
    if error.startswith("too many lines"):
        return words["too_many_lines"].format(n=MOST_LINES)
    if error.endswith("no earlier live version"):
        return words["bad_back"]
    return words["bad_file"].format(why=error)


def said(text: str) -> HttpResponse:
    """Say why nothing was done; what was typed stays where it is."""
    return HttpResponse(text, status=422, content_type="text/plain; charset=utf-8")


def stale(error: Stale) -> HttpResponse:
    """Say who has changed it meanwhile, and what."""
    words, change = WORDS.here(), error.change
    if change is None:
        return HttpResponse(words["stale_plain"], status=409, content_type="text/plain; charset=utf-8")
    what = change.what or words.get(f"act_{change.action}", change.action)
    text = words["stale"].format(who=change.who, what=what)
    return HttpResponse(text, status=409, content_type="text/plain; charset=utf-8")


def done(request: HttpRequest, text: str) -> HttpResponse:
    """Have the page loaded again, with this on it."""
    messages.success(request, text)
    answer = HttpResponse(status=204)
    answer["HX-Refresh"] = "true"
    return answer
