from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rooms.pages import needs, page
from rooms.system.wording import WORDS


@require_GET
@needs("manage_sites")
def first(request: HttpRequest) -> HttpResponse:
    return page(request, "system/first.html", "system", WORDS)
