"""What staff fill in. Every form names its fields: nothing else that is posted counts."""

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm, UsernameField
from django.contrib.auth.models import User
from django_otp import verify_token
from django_otp.plugins.otp_static.models import StaticDevice
from django_otp.plugins.otp_totp.models import TOTPDevice

from console.wording import words

Devices = list[TOTPDevice] | list[StaticDevice]


class SignInForm(AuthenticationForm):
    """Django's, but a name that is too long for any account is refused before anybody keeps that it was tried."""

    username = UsernameField(
        max_length=User._meta.get_field("username").max_length, widget=forms.TextInput(attrs={"autofocus": True})
    )


class CodeForm(forms.Form):
    """A code of the second factor. Valid only once: django-otp refuses a code again, and slows down guessing.

    `device` is then the one that knew the code.
    """

    code = forms.CharField(
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True, "spellcheck": "false"}),
    )
    device: TOTPDevice | StaticDevice | None = None

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["code"].label = words()["code"]

    def clean_code(self) -> str:
        code = "".join(str(self.cleaned_data["code"]).split()).lower()
        for device in self.devices(code):
            if verify_token(self.user, device.persistent_id, code):
                self.device = device
                return code
        raise forms.ValidationError(words()["code_wrong"])

    def devices(self, code: str) -> Devices:
        """Return what could know the code: an app's has six digits, a recovery code eight characters."""
        if len(code) == 6 and code.isdecimal():
            return list(TOTPDevice.objects.filter(user=self.user, confirmed=True))
        return list(StaticDevice.objects.filter(user=self.user, confirmed=True))


class EnrolForm(CodeForm):
    """The first code of a device that is not yet the account's second factor."""

    def __init__(self, user: User, enrolling: TOTPDevice, *args: Any, **kwargs: Any) -> None:
        super().__init__(user, *args, **kwargs)
        self.enrolling = enrolling

    def devices(self, code: str) -> Devices:
        return [self.enrolling]
