from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rooms.inbox.wording import WORDS
from rooms.pages import needs, page


@require_GET
@needs("see_queue")
def first(request: HttpRequest) -> HttpResponse:
    return page(request, "inbox/first.html", "inbox", WORDS)
