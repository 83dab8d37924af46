from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rooms.pages import needs, page
from rooms.review.wording import WORDS


@require_GET
@needs("review")
def first(request: HttpRequest) -> HttpResponse:
    return page(request, "review/first.html", "review", WORDS)
