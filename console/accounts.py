"""Staff accounts: making and changing them, their second factor, whose a session is. Every change is recorded."""

from collections.abc import Iterable
from typing import Any

from axes.utils import reset as reset_attempts
from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django_otp.middleware import OTPMiddleware
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from chatbot.models import Site
from console import audit
from console.models import AuditHead, StaffMember
from console.rules import Role, may, roles_of

RECOVERY_CODES = 10


class AccountError(Exception):
    """What was asked for cannot be: the message says why, in words for an operator; pages have their own by `code`."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class StaffBackend(ModelBackend):
    """Django's own accounts; in its admin, administrators may do everything and nobody else anything."""

    def has_perm(self, user_obj: AbstractBaseUser | AnonymousUser, perm: str, obj: object = None) -> bool:
        return may(user_obj, "manage_staff")

    def has_module_perms(self, user_obj: AbstractBaseUser | AnonymousUser, app_label: str) -> bool:
        return may(user_obj, "manage_staff")


def session_user(session: SessionBase) -> AbstractBaseUser | AnonymousUser:
    """Return whose session it is, and whether it has passed the second factor: for sockets, which have no middleware.

    What it returns is true at that moment only: ask again (with a freshly loaded session) before later acts, because
    sessions end, accounts are put out of use and roles change.
    """
    request = HttpRequest()
    request.session = session
    request.user = get_user(request)
    OTPMiddleware(lambda _: HttpResponse())(request)
    return request.user


@transaction.atomic
def add(
    name: str,
    password: str,
    *,
    roles: Iterable[str],
    sites: Iterable[str] = (),
    email: str = "",
    actor: audit.Actor = None,
    **work: Any,
) -> User:
    """Make an account with `roles` for the sites with these keys; `work` as in `change`. Raises AccountError."""
    users = get_user_model()
    if users.objects.filter(username=name).exists():
        raise AccountError(f"there is already an account {name}", "name_taken")
    user = users.objects.create_user(name, email=email, password=password)
    change(user, roles=roles, sites=sites, actor=actor, **work)
    return user


@transaction.atomic
def change(
    user: User,
    *,
    roles: Iterable[str] | None = None,
    sites: Iterable[str] | None = None,
    active: bool | None = None,
    full_name: str | None = None,
    email: str | None = None,
    languages: Iterable[str] | None = None,
    skills: Iterable[str] | None = None,
    capacity: int | None = None,
    actor: audit.Actor = None,
) -> None:
    """Give the account other roles, sites, names or work, or put it out of use or into use again; None leaves things as
    they are. Raises AccountError, also rather than leave nobody who may manage accounts.
    """
    chief = _is_administrator(user)
    if full_name is not None:
        user.first_name, user.last_name = full_name, ""
    if email is not None:
        user.email = email
    user.save(update_fields=["first_name", "last_name", "email"])
    member = user.staff_member if hasattr(user, "staff_member") else StaffMember.objects.create(user=user)
    for name, value in (("languages", languages), ("skills", skills), ("capacity", capacity)):
        if value is not None:
            setattr(member, name, value if isinstance(value, int) else list(value))
            member.save(update_fields=[name])
    if roles is not None:
        wanted = set(roles)
        if unknown := wanted - set(StaffMember.Role):
            raise AccountError(f"unknown role {', '.join(sorted(unknown))}: one of {', '.join(StaffMember.Role)}")
        member.roles = [role for role in StaffMember.Role if role in wanted]
        member.save(update_fields=["roles"])
    if sites is not None:
        keys = set(sites)
        found = Site.objects.filter(key__in=keys)
        if unknown := keys - {site.key for site in found}:
            raise AccountError(f"unknown site {', '.join(sorted(unknown))}")
        member.sites.set(found)
    if active is not None:
        user.is_active = active
        user.save(update_fields=["is_active"])
    if chief and not _is_administrator(user):
        _require_another_administrator()
    witness_account(user, actor=actor)


def _is_administrator(user: User) -> bool:
    return Role.ADMINISTRATOR in roles_of(user)


def _require_another_administrator() -> None:
    """Raises AccountError when no account in use may manage accounts. Two who retire each other at once wait here."""
    AuditHead.objects.select_for_update().filter(pk=AuditHead.ONLY).first()
    users = get_user_model().objects.filter(is_active=True).select_related("staff_member")
    if not any(_is_administrator(user) for user in users.iterator()):
        raise AccountError("nobody would be left who may manage accounts", "last_administrator")


def witness_account(user: User, *, actor: audit.Actor) -> None:
    """Record what the account is now allowed."""
    member = StaffMember.objects.filter(user=user).first()
    audit.record(
        actor,
        "account_changed",
        target=("user", user.pk),
        details={
            "active": user.is_active,
            "roles": list(member.roles) if member else [],
            "sites": sorted(member.sites.values_list("key", flat=True)) if member else [],
        },
    )


@transaction.atomic
def confirm(device: TOTPDevice) -> list[str]:
    """Make the device the account's second factor; return its recovery codes, which are shown this once."""
    device.confirmed = True
    device.save(update_fields=["confirmed"])
    audit.record(device.user, "two_factor_enrolled", target=("user", device.user.pk))
    return new_recovery_codes(device.user)


@transaction.atomic
def new_recovery_codes(user: User) -> list[str]:
    """Return fresh recovery codes; the old ones end."""
    StaticDevice.objects.filter(user=user).delete()
    device = StaticDevice.objects.create(user=user, name="recovery codes")
    codes = [StaticToken.random_token() for _ in range(RECOVERY_CODES)]
    StaticToken.objects.bulk_create(StaticToken(device=device, token=code) for code in codes)
    audit.record(user, "recovery_codes_made", target=("user", user.pk))
    return codes


@transaction.atomic
def remove_second_factor(user: User, *, actor: audit.Actor) -> None:
    """Take the account's devices and recovery codes away: its own doing (a code was given), or an administrator's."""
    StaticDevice.objects.filter(user=user).delete()
    TOTPDevice.objects.filter(user=user).delete()
    audit.record(actor, "two_factor_removed", target=("user", user.pk))


@transaction.atomic
def new_password(user: User, password: str, *, actor: audit.Actor) -> None:
    """Give the account another password; its sessions end."""
    user.set_password(password)
    user.save(update_fields=["password"])
    reset_attempts(username=user.get_username())
    audit.record(actor, "password_reset", target=("user", user.pk))


@transaction.atomic
def unlock(user: User, *, actor: audit.Actor) -> None:
    """Forget the wrong passwords that were tried for the account."""
    reset_attempts(username=user.get_username())
    audit.record(actor, "account_unlocked", target=("user", user.pk))
