"""Changes of the lexicon desk: words in and out, versions live and back."""

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from guardrails import lists
from guardrails.lists import ListError
from rooms import asked
from rooms.pages import actor, needs
from rooms.words import selectors, services, telling
from rooms.words.services import Stale
from rooms.words.wording import WORDS


@needs("edit_words")
@require_POST
def put(request: HttpRequest, name: str) -> HttpResponse:
    """Add or change a word."""
    words = WORDS.here()
    _known(name)
    try:
        text, level, category = typed(request)
        note = asked.text(request.POST, "note", 100)
        services.put(actor(request), name, text, level, category, note, seen=request.POST.get("seen"))
    except Stale as error:
        return telling.stale(error)
    except ListError as error:
        return telling.said(telling.reason(str(error)))
    live = any(each.active is not None for each in selectors.summaries(name))
    return telling.done(request, words["saved" if live else "saved_off"].format(text=text))


@needs("edit_words")
@require_POST
def remove(request: HttpRequest, name: str) -> HttpResponse:
    """Take a word out; its row offers to bring it back."""
    _known(name)
    text, note = asked.text(request.POST, "text", 1000), asked.text(request.POST, "note", 100)
    before = selectors.entry(name, text)
    if before is None:
        return telling.said(WORDS.here()["bad_gone"])
    try:
        services.remove(actor(request), name, text, note, seen=request.POST.get("seen"))
    except Stale as error:
        return telling.stale(error)
    except ListError as error:
        return telling.said(telling.reason(str(error)))
    told = WORDS.here()["removed"].format(text=text)
    if request.POST.get("whole"):
        return telling.done(request, told)
    return telling.part(request, "words/_removed.html", row=before, told=told)


@needs("edit_words")
@require_POST
def switch(request: HttpRequest, name: str) -> HttpResponse:
    """Make a version live, switch the list off, or go back."""
    _known(name)
    try:
        services.switch(
            actor(request),
            name,
            request.POST.get("act", ""),
            asked.number(request.POST.get("number")),
            seen=asked.number(request.POST.get("seen")) or 0,
        )
    except Stale as error:
        return telling.stale(error)
    except ListError as error:
        return telling.said(telling.reason(str(error)))
    return telling.done(request, WORDS.here()["switched"])


def typed(request: HttpRequest) -> lists.Row:
    """Return the word that was typed. Raises ListError with why it cannot be looked for."""
    text, level = asked.text(request.POST, "text", 1000), request.POST.get("level", "")
    if not text:
        raise ListError("nothing to look for")
    if reason := lists.refused(text, level):
        raise ListError(reason)
    return text, level, asked.text(request.POST, "category", 64)


def _known(name: str) -> None:
    if not selectors.summaries(name):
        raise Http404
