"""The few pages that web serves itself: the demo shop, and what operators and their machines ask."""

import os
from typing import Any

import prometheus_client
from django.core.cache import cache
from django.db import connection
from django.db.utils import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from prometheus_client import multiprocess

from chatbot import appearance, wiring
from chatbot import metrics as kefu_metrics
from chatbot.events import LogUnavailable
from chatbot.models import Site
from chatbot.traditional import traditional
from guardrails.personal_data.pool import MaskingUnavailable

DEMO_SITE = "demo"
READY_SECONDS = 0.5


@require_GET
def demo(request: HttpRequest) -> HttpResponse:
    """An invented shop's page with the widget on it."""
    site = Site.objects.filter(key=DEMO_SITE).first()
    language = "zh" if request.GET.get("lang", "zh").startswith("zh") else "en"
    return render(request, "demo.html", {"site_key": site.key if site else "", "language": language})


@require_GET
def look(request: HttpRequest, key: str) -> JsonResponse:
    """Answer how a site's chat looks before anybody opens it (appearance.py); a site that is unknown looks plain."""
    named = Site.objects.filter(key=key[:64]).only("widget")
    site = named.first() if key.isprintable() else None  # PostgreSQL takes no NUL
    tag = request.GET.get("language", "")
    told = appearance.read(site.widget if site else {}).look("zh" if tag.startswith("zh") else "en")
    if "hant" in tag and "launcher" in told:
        told["launcher"] = traditional(told["launcher"])
    response = JsonResponse(told)
    response["Access-Control-Allow-Origin"] = "*"  # any page that embeds the chat shows as much
    response["Cache-Control"] = "public, max-age=300"
    return response


@require_GET
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer that this process runs."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_GET
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when a customer's question could be answered now, else 503, with each part's state."""
    parts: dict[str, str] | None = cache.get("readyz")
    if parts is None:  # asking often must not cost the customers' places in masking
        parts = _parts()
        cache.set("readyz", parts, READY_SECONDS)
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"ready": ready, **parts}, status=200 if ready else 503)


def _parts() -> dict[str, str]:
    parts: dict[str, str] = {}
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM chatbot_site LIMIT 1")
        parts["database"] = "ok"
    except DatabaseError as error:
        parts["database"] = type(error).__name__
    try:
        log = wiring.event_log()
        log.check()
        parts["redis"] = "ok"
        parts["worker"] = "ok" if log.workers_alive() else "no worker has reported"
    except LogUnavailable as error:
        parts["redis"] = parts["worker"] = str(error)
    try:
        wiring.masking().find("ready?")
        parts["masking"] = "ok"
    except MaskingUnavailable:
        parts["masking"] = "unavailable"
    return parts


@require_GET
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer every process' metrics in Prometheus' text format."""
    registry: Any = prometheus_client.REGISTRY
    if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
        registry = prometheus_client.CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)
    try:
        for queue, length in wiring.event_log().queue_lengths(("turns", "judging", "desk", "sweep")).items():
            kefu_metrics.QUEUE_LENGTH.labels(queue).set(length)
    except LogUnavailable:
        pass
    return HttpResponse(prometheus_client.generate_latest(registry), content_type=prometheus_client.CONTENT_TYPE_LATEST)
