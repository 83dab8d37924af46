from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rooms.knowledge.wording import WORDS
from rooms.pages import needs, page


@require_GET
@needs("see_knowledge")
def first(request: HttpRequest) -> HttpResponse:
    return page(request, "knowledge/first.html", "knowledge", WORDS)
