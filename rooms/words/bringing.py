"""A file of words: what would come of it, and bringing it into a list."""

import re
import tempfile
from dataclasses import replace
from pathlib import Path

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from chatbot import wiring as chat
from guardrails import importing, lists
from guardrails.lexicon import WordList
from guardrails.lexicon.words import IMPORTED, Line, read_lines
from guardrails.lists import ListError
from rooms import asked, verdicts
from rooms.pages import actor, needs, person
from rooms.words import selectors, services, telling, trying
from rooms.words.telling import MOST_LINES
from rooms.words.wording import WORDS

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@needs("edit_words")
@require_GET
def bring(request: HttpRequest) -> HttpResponse:
    """The form that brings a file."""
    return telling.full(
        request,
        "words/import.html",
        "import",
        summaries=selectors.summaries(),
        help=WORDS.here()["import_help"].format(n=MOST_LINES),
    )


@needs("edit_words")
@require_POST
def preview(request: HttpRequest) -> HttpResponse:
    """What would come of a file, and what it would do to recent messages. Nothing is kept."""
    try:
        name, brought = _brought(request)
    except (ListError, ValueError) as error:
        return telling.said(telling.reason(str(error)))
    lexicon = chat.lexicon()
    live = lexicon.lists
    base = next((each for each in live if each.name == name), WordList(name, (), (), IMPORTED))
    texts = {word.text for word in base.words}
    fresh = tuple(replace(word, source=name) for word in brought.words.words if word.text not in texts)
    new = replace(base, words=(*base.words, *fresh), allow=(*base.allow, *brought.words.allow))
    changed = [*(each for each in live if each.name != name), new]
    tried = trying.attempt(lexicon, changed, selectors.recent_texts(person(request)))
    words = WORDS.here()
    return telling.part(
        request,
        "words/_preview.html",
        kept=len(brought.rows),
        by_level=[(verdicts.level(each), n) for each, n in _counted(brought)],
        left=[
            (words[what], words.get(f"why_{why}", why), len(found), found[:8])
            for what, reasons in (("lines_demoted", brought.demoted), ("lines_rejected", brought.rejected))
            for why, found in reasons.items()
        ],
        **telling.report(tried),
    )


@needs("edit_words")
@require_POST
def keep(request: HttpRequest) -> HttpResponse:
    """Bring the file's words into a list, live or not."""
    file = request.FILES.get("file")
    what = f"import of {file.name}" if file and file.name else "import of typed lines"
    try:
        name, brought = _brought(request)
        if not brought.rows:
            return telling.said(WORDS.here()["nothing_kept"])
        live = request.POST.get("live") == "1"
        changed = services.keep(actor(request), name, brought.rows, what[: lists.LONGEST], live=live)
    except (ListError, ValueError) as error:
        return telling.said(telling.reason(str(error)))
    told = WORDS.here()["imported"].format(added=changed.added, duplicates=changed.duplicates)
    messages.success(request, told)
    answer = HttpResponse(status=204)
    answer["HX-Redirect"] = reverse("rooms:words_list", args=[name])
    return answer


def _brought(request: HttpRequest) -> tuple[str, importing.Brought]:
    """Return the list's name, and what becomes of the file or the pasted lines. Raises ListError, ValueError."""
    name = asked.text(request.POST, "list") or asked.text(request.POST, "name")
    if not any(each.name == name for each in selectors.summaries(name)) and not _NAME.fullmatch(name):
        raise ListError("name")
    level, category = request.POST.get("level", ""), asked.text(request.POST, "category", 64)
    if level not in selectors.ALL_LEVELS:
        raise ListError("level is not one")
    found = _lines(request)
    if not found:
        raise ListError("no lines")
    if len(found) > MOST_LINES:
        raise ListError("too many lines")
    return name, importing.read(found, name, level, category or "imported", as_is=request.POST.get("triage") != "1")


def _lines(request: HttpRequest) -> list[Line]:
    """Read the file, or what was pasted."""
    file = request.FILES.get("file")
    suffix = ".gz" if file and file.name and file.name.endswith(".gz") else ".txt"
    with tempfile.NamedTemporaryFile(suffix=suffix) as kept:
        for chunk in file.chunks() if file else [request.POST.get("lines", "").encode()]:
            kept.write(chunk)
        kept.flush()
        found = []
        try:
            for line in read_lines(Path(kept.name)):
                found.append(line)
                if len(found) > MOST_LINES:
                    break
        except (UnicodeDecodeError, OSError, EOFError):
            raise ListError("utf8") from None
    return found


def _counted(brought: importing.Brought) -> list[tuple[str, int]]:
    counts = {level: 0 for level in selectors.ALL_LEVELS}
    for _, level, _ in brought.rows:
        counts[level] += 1
    return [(level, count) for level, count in counts.items() if count]
