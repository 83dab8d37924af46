"""Who calls, how often, and what a refusal looks like."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError
from ninja.security import HttpBearer

from api import tokens
from api.models import ApiToken
from chatbot import wiring
from chatbot.limits import TooMany
from console.throttle import address_of
from desk.jobs import NotMeant, TooManyJobs
from desk.services import PersonalData
from guardrails.personal_data.pool import MaskingUnavailable
from knowledge.blocks import Unreadable
from knowledge.examining import TooMany as TooManyGolden
from knowledge.releases import Conflict, GateClosed


class Refused(Exception):
    """A request that is not done: an HTTP status, a code for programs, words for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


class Token(HttpBearer):
    """`Authorization: Bearer kefu_…`; the base is the token's."""

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """Return the token, whose use counts against its own limit, and every wrong one against the address."""
        found = tokens.find(token)
        if found is None:
            _take(network=address_of(request) or "")
            return None
        _take(visitor=found.pk)
        return found


def _take(**holders: Any) -> None:
    try:
        wiring.limiter().take("api", **holders)
    except TooMany as error:
        raise Refused(429, "too_many", f"try again in {error.seconds:.0f} seconds") from None


def needs(scope: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Refuse tokens that this scope is not granted to; the documentation says so."""

    def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def run(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if not tokens.may(request.auth, scope):  # type: ignore[attr-defined]
                raise Refused(403, "scope", f"this token may not do what takes the scope {scope!r}")
            return view(request, *args, **kwargs)

        run.scope = scope  # type: ignore[attr-defined]
        return run

    return decorate


def add_refusals(api: NinjaAPI) -> None:
    """Answer every refusal in one shape: {"code", "message"}."""

    def answer(request: HttpRequest, status: int, code: str, message: str) -> HttpResponse:
        response: HttpResponse = api.create_response(request, {"code": code, "message": message}, status=status)
        return response

    @api.exception_handler(Refused)
    def refused(request: HttpRequest, error: Refused) -> HttpResponse:
        return answer(request, error.status, error.code, str(error))

    @api.exception_handler(Conflict)
    def conflict(request: HttpRequest, error: Conflict) -> HttpResponse:
        return answer(request, 409, "conflict", str(error))

    @api.exception_handler(GateClosed)
    def gate_closed(request: HttpRequest, error: GateClosed) -> HttpResponse:
        return answer(request, 409, error.code, str(error))

    @api.exception_handler(Unreadable)
    def unreadable(request: HttpRequest, error: Unreadable) -> HttpResponse:
        return answer(request, 422, error.code, str(error))

    @api.exception_handler(TooManyGolden)
    def too_many_golden(request: HttpRequest, error: TooManyGolden) -> HttpResponse:
        return answer(request, 409, "too_many", str(error))

    @api.exception_handler(TooManyJobs)
    def too_many_jobs(request: HttpRequest, error: TooManyJobs) -> HttpResponse:
        return answer(request, 429, "too_many", str(error))

    @api.exception_handler(NotMeant)
    def not_meant(request: HttpRequest, error: NotMeant) -> HttpResponse:
        return answer(request, 409, "not_meant", str(error))

    @api.exception_handler(PersonalData)
    def personal_data(request: HttpRequest, error: PersonalData) -> HttpResponse:
        return answer(request, 422, "personal_data", str(error))

    @api.exception_handler(MaskingUnavailable)
    def unavailable(request: HttpRequest, error: MaskingUnavailable) -> HttpResponse:
        return answer(request, 503, "unavailable", "the guards cannot be reached; try again")

    @api.exception_handler(ValueError)
    def wrong_value(request: HttpRequest, error: ValueError) -> HttpResponse:
        return answer(request, 422, "wrong", str(error))

    @api.exception_handler(ValidationError)
    def wrong_shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
        first = error.errors[0]
        where = ".".join(str(one) for one in first["loc"][1:])
        return answer(request, 422, "wrong", f"{where}: {first['msg']}")

    @api.exception_handler(HttpError)
    def other(request: HttpRequest, error: HttpError) -> HttpResponse:
        code = {401: "token", 404: "not_found"}.get(error.status_code, "wrong")
        return answer(request, error.status_code, code, str(error))
