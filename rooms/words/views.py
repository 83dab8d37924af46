from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rooms.pages import needs, page
from rooms.words.wording import WORDS


@require_GET
@needs("see_words")
def first(request: HttpRequest) -> HttpResponse:
    return page(request, "words/first.html", "words", WORDS)
