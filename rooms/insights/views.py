from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from rooms.insights.wording import WORDS
from rooms.pages import needs, page


@require_GET
@needs("see_insights")
def first(request: HttpRequest) -> HttpResponse:
    return page(request, "insights/first.html", "insights", WORDS)
