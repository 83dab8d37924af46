"""Staff's pages as a browser sees them, and an authenticator app."""

import time
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.models import AuditEntry

PASSWORD = "a long pass word"
STAFF = "/staff/"
LOGIN, CODE, ENROL = "/staff/login/", "/staff/two-factor/code/", "/staff/two-factor/enrol/"
TWO_FACTOR, DISABLE = "/staff/two-factor/", "/staff/two-factor/disable/"
CODES, PASSWORD_PAGE, AUDIT = "/staff/two-factor/recovery-codes/", "/staff/password/", "/staff/audit/"


def sign_in(client: Client, name: str, password: str = PASSWORD, **extra: Any) -> HttpResponse:
    return client.post(LOGIN, {"username": name, "password": password, **extra.pop("data", {})}, **extra)


def signed_in(user: User) -> Client:
    client = Client()
    assert sign_in(client, user.username).status_code == 302
    return client


def code_of(user: User, later: int = 0) -> str:
    """Return what the user's app shows, `later` steps of 30 s from now."""
    device = TOTPDevice.objects.get(user=user)
    app = TOTP(device.bin_key)
    app.time = time.time() + 30 * later
    return f"{app.token():06d}"


def wrong_code(user: User) -> str:
    """Return six digits that the app shows at no time near now."""
    near = {code_of(user, later) for later in range(-3, 4)}
    return next(
        code
        for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777")
        if code not in near
    )


def enrol(user: User) -> list[str]:
    """Give the account a second factor that has not been used yet; return its recovery codes."""
    from console import accounts

    return accounts.confirm(TOTPDevice.objects.create(user=user, confirmed=False, name="app"))


def fully_signed_in(user: User) -> Client:
    client = signed_in(user)
    assert client.post(CODE, {"code": code_of(user)}).status_code == 302
    return client


def recovery_codes(user: User) -> set[str]:
    return set(StaticToken.objects.filter(device__user=user).values_list("token", flat=True))


def actions() -> list[str]:
    """Return what the audit log says was done, oldest first."""
    return list(AuditEntry.objects.order_by("id").values_list("action", flat=True))
