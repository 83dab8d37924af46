from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rooms.pages import needs, page
from rooms.sites.wording import WORDS


@require_GET
@needs("manage_sites")
def first(request: HttpRequest) -> HttpResponse:
    return page(request, "sites/first.html", "sites", WORDS)
