"""The HTTP door of customers' files: one way in, for who holds a visitor's token, and signed links out.

    POST /files/   multipart with one file; `Authorization: Bearer <visitor's token>`, `X-Kefu-Key: <site's key>`
        201 {id, name, type, size}; then a `say` may name the id (protocol.py)
        4xx, 503 {error, message, retry_after}: `message` is in the language of Accept-Language
    GET /files/<signed>/   the file; a link (`link`) lasts five minutes, and whatever is wrong with it, there is nothing

Knows nothing of how files are proved and kept: attachments does. A known user's token is enough to upload: nothing
comes back, and only a socket on which the user's own site has vouched for them can send what was uploaded.
"""

import math
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from django.core import signing
from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.http import content_disposition_header
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from attachments import kinds, names
from attachments import services as attachments
from attachments.models import Attachment
from attachments.refusals import FileRefused
from chatbot import appearance, metrics, tokens, wiring, wording
from chatbot.admission import origin_allowed
from chatbot.bodies import Scope
from chatbot.limits import TooMany
from chatbot.models import Conversation, Site
from chatbot.peers import client_network
from chatbot.services import ConversationGone, contacts_of, without_contacts
from chatbot.turn import Language
from guardrails import vault
from guardrails.personal_data.finding import Finding
from guardrails.personal_data.pool import MaskingUnavailable
from guardrails.placeholders import restore

PATH = "/files/"
LINK_SECONDS = 300
SMALL_BODY = 2_621_440  # of anything but an upload
_MARGIN = 64 * 1024  # of the multipart form around a file
_SALT = "kefu.file"
_STATUS = {
    "bad_key": 403, "bad_origin": 403, "not_offered": 403, "expired": 401, "token_refused": 401,
    "too_fast": 429, "busy": 429,
    "masking_unavailable": 503, "file_unchecked": 503, "file_too_big": 413, "file_type": 415, "file_mismatch": 415,
}  # fmt: skip


@dataclass(frozen=True)
class Viewer:
    """For whom a link is: a conversation's customer (`id` is the visitor's), or one of the staff (the account's id)."""

    kind: Literal["customer", "staff"]
    id: str


class _Refused(Exception):
    """Not taken; `code` names the wording."""

    def __init__(self, code: str, retry_after: float | None = None) -> None:
        super().__init__(code)
        self.code, self.retry_after = code, retry_after


class _OneFile(FileUploadHandler):
    """Keeps one file of at most `most` bytes in memory. What is longer is cut off while it comes."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most, self.data, self.names, self.too_big = most, bytearray(), list[str](), False

    def new_file(self, *arguments: Any, **options: Any) -> None:
        super().new_file(*arguments, **options)
        self.names.append(self.file_name or "")
        if len(self.names) > 1:
            raise StopUpload(connection_reset=True)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self.data += raw_data
        if len(self.data) > self.most:
            self.too_big = True
            raise StopUpload(connection_reset=True)

    def file_complete(self, file_size: int) -> None:
        return None


# --- in


@csrf_exempt  # no cookie counts here: what allows it is a bearer token, which no other site's page can send
def upload(request: HttpRequest) -> HttpResponse:
    """Take one file of a customer."""
    if request.method == "OPTIONS":
        return _preflight(request)
    if request.method != "POST":
        return HttpResponse(status=405, headers={"Allow": "POST, OPTIONS"})
    site = Site.objects.filter(key=request.headers.get("X-Kefu-Key", "")[:64]).first()
    allowed = site is not None and origin_allowed(site, _origin(request), request.META.get("HTTP_HOST", ""))
    try:
        response = _taken(request, site if allowed else None, "bad_origin" if site else "bad_key")
        metrics.UPLOADS.labels("stored").inc()
    except _Refused as refused:
        metrics.UPLOADS.labels(refused.code).inc()
        response = _refusal(request, refused)
    return _cors(response, _origin(request)) if allowed else response


def _taken(request: HttpRequest, site: Site | None, why: str) -> HttpResponse:
    network = client_network(
        request.META.get("REMOTE_ADDR", ""),
        [value for value in [request.headers.get("X-Forwarded-For", "")] if value],
        wiring.limits().trusted_proxies,
    )
    if site is None:
        _limit(network=network)
        raise _Refused(why)
    visitor = tokens.read(_bearer(request.headers.get("Authorization", "")), site=site.key, origin=_origin(request))
    if visitor is None:
        _limit(network=network, site=site.pk)
        raise _Refused("token_refused")
    _limit(network=network, site=site.pk, visitor=visitor.id)
    conversation = Conversation.objects.filter(pk=visitor.conversation, visitor=visitor.id, site=site).first()
    if conversation is None:
        raise _Refused("expired")
    if not appearance.read(site.widget).uploads:
        raise _Refused("not_offered")
    name, data = _file(request)
    owner = attachments.Owner(conversation.id, conversation.visitor)
    scanner = wiring.scanner()
    try:
        attachment = attachments.store(
            name,
            data,
            owner,
            rules=wiring.uploads(),
            find=_finder(site),
            master_key=wiring.master_key(),
            scan=scanner.scan if scanner else None,
            lock=lambda: _lock(conversation.id),
        )
    except FileRefused as refused:
        raise _Refused(refused.reason, 5.0 if refused.reason == "file_unchecked" else None) from None
    except MaskingUnavailable:
        raise _Refused("masking_unavailable", 2.0) from None
    except ConversationGone:
        raise _Refused("expired") from None
    shown = {"name": names.clean_name(name), "type": attachment.media_type, "size": attachment.size}
    return JsonResponse({"id": str(attachment.id), **shown}, status=201)


def _file(request: HttpRequest) -> tuple[str, bytes]:
    handler = _OneFile(wiring.uploads().most_bytes)
    request.upload_handlers = [handler]
    try:
        request.FILES  # noqa: B018  reads the body
    except (MultiPartParserError, SuspiciousOperation, OSError):
        raise _Refused("file_damaged") from None
    if handler.too_big:
        raise _Refused("file_too_big")
    if len(handler.names) > 1:
        raise _Refused("too_many_files")
    if not handler.names:
        raise _Refused("file_empty")
    return handler.names[0], bytes(handler.data)


def _finder(site: Site) -> Callable[[str], list[Finding]]:
    return lambda text: without_contacts(text, wiring.masking().find(text), contacts_of(site))


def _lock(conversation_id: uuid.UUID) -> None:
    """Hold the conversation's row, so that erasing it waits. Raises ConversationGone."""
    if not Conversation.objects.select_for_update().filter(pk=conversation_id).exists():
        raise ConversationGone


def _limit(*, network: str, site: int | None = None, visitor: uuid.UUID | None = None) -> None:
    try:
        wiring.limiter().take("upload", network=network, site=site, visitor=visitor)
    except TooMany as many:
        raise _Refused("busy" if many.scope == "site" else "too_fast", math.ceil(many.seconds * 10) / 10) from None


def _refusal(request: HttpRequest, refused: _Refused) -> HttpResponse:
    language: Language = "zh" if request.headers.get("Accept-Language", "").lower().startswith("zh") else "en"
    seconds = math.ceil(refused.retry_after or 1)
    megabytes = wiring.uploads().most_bytes // 1_000_000
    message = wording.say(refused.code, language, seconds=seconds, megabytes=megabytes)
    body = {"error": refused.code, "message": message, "retry_after": refused.retry_after}
    response = JsonResponse(body, status=_STATUS.get(refused.code, 400))
    if refused.retry_after:
        response["Retry-After"] = str(seconds)
    return response


def _preflight(request: HttpRequest) -> HttpResponse:
    """Allow any site's origins to ask: a preflight carries no key. The request itself is held to its own site's."""
    origin, host = _origin(request), request.META.get("HTTP_HOST", "")
    response = HttpResponse(status=204)
    response["Vary"] = "Origin"
    if not any(origin_allowed(site, origin, host) for site in Site.objects.only("allowed_origins")):
        return response
    response["Access-Control-Allow-Methods"] = "POST"
    response["Access-Control-Allow-Headers"] = "Authorization, X-Kefu-Key"
    response["Access-Control-Max-Age"] = "600"
    return _cors(response, origin)


def _cors(response: HttpResponse, origin: str) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = origin
    response["Vary"] = "Origin"
    return response


def _origin(request: HttpRequest) -> str:
    return request.headers.get("Origin", "")


def _bearer(header: str) -> str:
    scheme, _, token = header.partition(" ")
    return token.strip()[:2048] if scheme.lower() == "bearer" else ""


def most_bytes(scope: Scope) -> int:
    """Return how large a request's body may be (bodies.py): an upload for who holds a visitor's token, else small."""
    if scope["path"] != PATH:
        return SMALL_BODY
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    token = _bearer(headers.get(b"authorization", ""))
    visitor = tokens.read(token, site=headers.get(b"x-kefu-key", ""), origin=headers.get(b"origin", ""))
    return wiring.uploads().most_bytes + _MARGIN if visitor else _MARGIN


def network_of(scope: Scope) -> str:
    """Return the network that a request comes from, for bodies.py."""
    forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return client_network((scope.get("client") or ("",))[0], forwarded, wiring.limits().trusted_proxies)


# --- out


def link(attachment_id: uuid.UUID | str, *, conversation: uuid.UUID, viewer: Viewer) -> str:
    """Return the path under which a sent file can be fetched for five minutes; by staff only in their own session."""
    values = [uuid.UUID(str(attachment_id)).hex, conversation.hex, viewer.kind, viewer.id]
    return f"{PATH}{signing.dumps(values, salt=_SALT, compress=False)}/"


@require_GET
def download(request: HttpRequest, signed: str) -> HttpResponse:
    """Serve a file to whom its link was made for."""
    try:
        attachment_id, conversation, kind, viewer = signing.loads(signed, salt=_SALT, max_age=LINK_SECONDS)
    except signing.BadSignature:
        return _nothing()
    if kind == "staff" and not (request.user.is_active and str(request.user.pk) == viewer):
        return _nothing()
    found = attachments.read(uuid.UUID(attachment_id), uuid.UUID(conversation), master_key=wiring.master_key())
    if found is None:
        return _nothing()
    attachment, data = found
    if kind == "customer" and str(attachment.visitor) != viewer:
        return _nothing()
    response = HttpResponse(data, content_type=attachment.media_type)
    picture = attachment.media_type in kinds.PICTURES  # made anew from its pixels: nothing of the sender's is in it
    response["Content-Disposition"] = content_disposition_header(not picture, _saved_name(attachment, kind)) or ""
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # it is shown in the shop's page
    return _sealed_off(response)


def _saved_name(attachment: Attachment, kind: str) -> str:
    name = attachment.name
    if kind == "customer" and "_" in name:
        name = restore(name, vault.values(attachment.conversation_id, master_key=wiring.master_key()))
    return name.replace("<", "").replace(">", "")


def _nothing() -> HttpResponse:
    return _sealed_off(HttpResponse(status=404))


def _sealed_off(response: HttpResponse) -> HttpResponse:
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cache-Control"] = "private, no-store"
    return response
