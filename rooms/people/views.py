from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rooms.pages import needs, page
from rooms.people.wording import WORDS


@require_GET
@needs("manage_staff")
def first(request: HttpRequest) -> HttpResponse:
    return page(request, "people/first.html", "people", WORDS)
