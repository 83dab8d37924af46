"""Records what Django itself does for staff: signing in and out, and every change made in its admin."""

import json
from typing import Any

from axes.signals import user_locked_out
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import post_save
from django.dispatch import receiver
from django.http import HttpRequest
from django_otp import user_has_device

from chatbot.models import Site
from console import audit

_KINDS = {1: "admin_added", 2: "admin_changed", 3: "admin_deleted"}


@receiver(user_logged_in)
def _signed_in(user: AbstractBaseUser, **_: Any) -> None:
    audit.record(user, "signed_in", target=("user", user.pk), details={"second_factor_follows": user_has_device(user)})


@receiver(user_logged_out)
def _signed_out(user: AbstractBaseUser | None, **_: Any) -> None:
    if user is not None:
        audit.record(user, "signed_out", target=("user", user.pk))


@receiver(user_login_failed)
def _failed(credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if not getattr(request, "axes_locked_out", False):  # while locked, trying on adds nothing to know
        audit.record(None, "sign_in_failed", target=_account(credentials.get("username")))


@receiver(user_locked_out)
def _locked(request: HttpRequest, username: str | None = None, **_: Any) -> None:
    """Record the moment when the door closes; further attempts are told of as well, and not recorded."""
    if getattr(request, "axes_failures_since_start", None) == settings.AXES_FAILURE_LIMIT:
        audit.record(None, "sign_in_locked", target=_account(username))


def _account(name: str | None) -> tuple[str, object] | None:
    """Return the account that was meant. A name that is none is not kept: it may be a mistyped password."""
    key = get_user_model().objects.filter(username=name or "").values_list("pk", flat=True).first()
    return ("user", key) if key is not None else None


@receiver(post_save, sender=LogEntry)
def _administered(instance: LogEntry, created: bool, **_: Any) -> None:
    if not created:
        return
    model = instance.content_type.model_class() if instance.content_type else None
    kind = model._meta.label_lower if model else ""
    site = Site.objects.filter(pk=instance.object_id or 0).first() if model is Site else None
    audit.record(
        instance.user,
        _KINDS[instance.action_flag],
        site=site,
        target=(kind, instance.object_id),
        details={"changes": _changes(instance.change_message)},
    )


def _changes(message: str) -> list[audit.Json]:
    """Return which fields changed, never their values; a plain message as it is."""
    try:
        parts = json.loads(message) if message else []
    except ValueError:
        return [message]
    return [
        {"what": what, "name": str(change.get("name", "")), "fields": list(change.get("fields", []))}
        for part in parts
        for what, change in part.items()
    ]
