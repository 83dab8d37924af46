"""The lexicon desk: lists and their words, why a text is stopped, and what a change would do. Changes nothing."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_GET, require_http_methods

from chatbot import wiring as chat
from chatbot.judging import GuardsUnavailable
from guardrails import lists
from guardrails.lexicon import Word, WordList
from guardrails.lexicon.words import IMPORTED
from guardrails.lists import ListError
from guardrails.personal_data.masking import numbered_within
from guardrails.personal_data.pool import MaskingUnavailable
from guardrails.placeholders import escape_lookalikes
from rooms import asked, verdicts
from rooms.pages import needs, person
from rooms.words import selectors, telling, trying
from rooms.words.changing import typed
from rooms.words.wording import WORDS

MOST_LOOKED = 4_000
"""Characters of a text that is looked at."""


@needs("see_words")
@require_GET
def overview(request: HttpRequest) -> HttpResponse:
    """All lists; with `q` the words found in those that are live."""
    search, number = asked.text(request.GET, "q"), asked.page_number(request)
    found, more = selectors.rows(search=search, page=number) if search else ([], False)
    return telling.full(
        request,
        "words/lists.html",
        "lists",
        lists=[telling.summary(one) for one in selectors.summaries()],
        search=search,
        no_results=WORDS.here()["no_results"].format(text=search),
        rows=[telling.row(one) for one in found],
        number=number,
        more=more,
    )


@needs("see_words")
@require_GET
def one(request: HttpRequest, name: str) -> HttpResponse:
    """A list: its words, versions and changes."""
    summary = next(iter(selectors.summaries(name)), None)
    if summary is None:
        raise Http404
    search, level, number = asked.text(request.GET, "q"), request.GET.get("level", ""), asked.page_number(request)
    level = level if level in selectors.ALL_LEVELS else ""
    found, more = selectors.rows(name, search=search, level=level, page=number)
    words = WORDS.here()
    return telling.full(
        request,
        "words/list.html",
        "lists",
        list=telling.summary(summary),
        rows=[telling.row(one) for one in found],
        search=search,
        level=level,
        number=number,
        more=more,
        versions=[
            {"version": one, "confirm": words["go_live_confirm"].format(n=one.number)}
            for one in selectors.versions(name)
        ],
        changes=[telling.change(one) for one in selectors.changes(name)[0][:30]],
        switch_off_confirm=words["switch_off_confirm"].format(name=name),
    )


@needs("see_words")
@require_GET
def changes(request: HttpRequest) -> HttpResponse:
    """What was done to all lists."""
    number = asked.page_number(request)
    found, more = selectors.changes(page=number)
    return telling.full(
        request,
        "words/changes.html",
        "changes",
        changes=[telling.change(one) for one in found],
        number=number,
        more=more,
    )


@needs("see_words")
@require_http_methods(["GET", "POST"])
def look(request: HttpRequest) -> HttpResponse:
    """Why a text is stopped, or passes: by the lists, and by the models."""
    if request.method == "GET":
        return telling.full(request, "words/look.html", "look", most=MOST_LOOKED)
    text = request.POST.get("text", "")
    if not text.strip():
        return telling.said(WORDS.here()["empty_text"])
    if len(text) > MOST_LOOKED:
        return telling.said(WORDS.here()["long_text"].format(n=MOST_LOOKED))
    found = trying.look(text, chat.lexicon())
    return telling.part(
        request,
        "words/_looked.html",
        found=found,
        verdict=verdicts.told(telling.told(found.verdict)),
        hits=[telling.hit(one) for one in found.found],
        models=_models(text),
    )


@needs("see_words")
@require_http_methods(["GET", "POST"])
def attempt(request: HttpRequest) -> HttpResponse:
    """What a word, or a version of a list, would do to recent messages."""
    if request.method == "GET":
        return telling.full(
            request,
            "words/try.html",
            "try",
            summaries=selectors.summaries(),
            versions=_other_versions(),
            wanted=request.GET.get("version", ""),
            word={key: request.GET.get(key, "") for key in ("list", "text", "level", "category")},
        )
    words, lexicon = WORDS.here(), chat.lexicon()
    live = lexicon.lists
    act: dict[str, Any]
    try:
        if version := request.POST.get("version", ""):
            name, _, last = version.rpartition("@")
            number = asked.number(last)
            changed = _with_version(live, name, number)
            act = {"act": "deactivate" if number is None else "activate", "list": name, "number": number or ""}
        elif "version" in request.POST:
            return telling.said(words["choose_version"])
        else:
            row = typed(request)
            taken = request.POST.get("without") == "1"
            changed = _with_word(live, asked.text(request.POST, "list"), row, taken)
            name = asked.text(request.POST, "list")
            before = selectors.entry(name, row[0])
            seen = f"{before.level} {before.category}" if before else ""
            act = {"act": "remove" if taken else "put", "list": name, "row": row, "seen": seen}
    except (ListError, ValueError) as error:
        return telling.said(telling.reason(str(error)))
    tried = trying.attempt(lexicon, changed, selectors.recent_texts(person(request)))
    change = next((s.change for s in selectors.summaries(act["list"])), 0)
    return telling.part(request, "words/_report.html", **telling.report(tried), act=act, change=change)


def _with_word(live: Sequence[WordList], name: str, row: lists.Row, taken: bool) -> list[WordList]:
    """Return the live lists with a word added, changed, or taken out. Raises ListError."""
    text, level, category = row
    base = next((each for each in live if each.name == name), None)
    if base is None:
        if not any(each.name == name for each in selectors.summaries(name)):
            raise ListError(f"there is no list {name}")
        base = WordList(name, (), (), IMPORTED)
    words = tuple(word for word in base.words if word.text != text)
    allow = tuple(phrase for phrase in base.allow if phrase != text)
    if not taken:
        if level == lists.ALLOW:
            allow = (*allow, text)
        else:
            words = (*words, Word(text, level, category, name))  # type: ignore[arg-type]  # `refused` has checked it
    return [*(each for each in live if each.name != name), replace(base, words=words, allow=allow)]


def _with_version(live: Sequence[WordList], name: str, number: int | None) -> list[WordList]:
    """Return the live lists with another version of one, or without it. Raises ListError."""
    if not selectors.summaries(name):
        raise ListError(f"there is no list {name}")
    others = [each for each in live if each.name != name]
    return others if number is None else [*others, lists.version(name, number)]


def _other_versions() -> list[dict[str, Any]]:
    """What there is to try beside what is live: the newest versions that are not, and each list switched off."""
    words, found = WORDS.here(), []
    for each in selectors.summaries():
        if each.newest and each.active != each.newest:
            found.append({"value": f"{each.name}@{each.newest}", "name": f"{each.name} · {each.newest}"})
        if each.active is not None:
            found.append({"value": f"{each.name}@off", "name": f"{each.name} · {words['without']}"})
    return found


def _models(text: str) -> verdicts.Told | None:
    """Return what the workers' models say of a text; None when they cannot be asked."""
    try:
        safe = escape_lookalikes(text)
        verdict = chat.judging().ask(numbered_within(safe, chat.masking().find(safe)))
    except (GuardsUnavailable, MaskingUnavailable):
        return None
    return verdicts.told(telling.told(verdict))
