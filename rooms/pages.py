"""What every room's view does the same: who may enter, and a page in its frame and the reader's language."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from chatbot.models import Conversation, Site
from console.rules import Action, may
from console.services import Actor
from console.throttle import address_of
from console.wording import Words
from knowledge.models import KnowledgeBase

V = TypeVar("V", bound=Callable[..., HttpResponse])


def needs(action: Action) -> Callable[[V], V]:
    """Decorate a view: 403 for whoever may not do `action` anywhere. On what, `check` asks."""

    def decorate(view: V) -> V:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(request.user, action):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast(V, guarded)

    return decorate


def check(request: HttpRequest, action: Action, target: Conversation | Site | KnowledgeBase) -> None:
    """Raises PermissionDenied unless the reader may do `action` on `target`."""
    if not may(request.user, action, target):
        raise PermissionDenied


def person(request: HttpRequest) -> User:
    """Return who reads; the gate lets nobody else pass."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def actor(request: HttpRequest) -> Actor:
    """Return who acts, as console's services want it."""
    return Actor(person(request), address_of(request) or "")


def page(
    request: HttpRequest, template: str, room: str, words: Words, *, status: int = 200, **context: Any
) -> HttpResponse:
    """Render a page, or a part of one, of `room` (a key of navigation.ROOMS, or ""). `t` holds the room's words."""
    shown = {"t": words.here(), "room": room, **context}
    return render(request, f"rooms/{template}", shown, status=status)
