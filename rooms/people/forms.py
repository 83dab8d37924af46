"""What is filled in of an account."""

from typing import Any

from django import forms
from django.contrib.auth.models import User

from chatbot.models import Site
from console.models import StaffMember
from console.rules import Role
from rooms.people.wording import WORDS
from understanding import services as understanding

LANGUAGES = (("zh", "中文"), ("en", "English"))
MOST_AT_ONCE = 100


class Person(forms.Form):
    """What an account may do, where, and what work suits it."""

    full_name = forms.CharField(max_length=150, required=False, widget=forms.TextInput(attrs={"dir": "auto"}))
    email = forms.EmailField(required=False)
    roles = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple)
    sites = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False)
    languages = forms.MultipleChoiceField(choices=LANGUAGES, widget=forms.CheckboxSelectMultiple, required=False)
    skills = forms.MultipleChoiceField(widget=forms.CheckboxSelectMultiple, required=False)
    capacity = forms.IntegerField(min_value=1, max_value=MOST_AT_ONCE, initial=5)

    def __init__(self, *args: Any, has_skills: tuple[str, ...] = (), **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        self.t = WORDS.here()
        topics = sorted({*(str(row["slug"]) for row in understanding.labels()), *has_skills})
        self._offer("roles", [(role, f"{self.t[f'role_{role}']}: {self.t[f'role_{role}_is']}") for role in Role])
        self._offer("sites", [(site.key, site.name) for site in Site.objects.order_by("name", "key")])
        self._offer("skills", [(topic, self.t.get(f"topic_{topic}", topic)) for topic in topics])
        for name, field in self.fields.items():
            field.label = self.t[name]
            field.help_text = self.t.get(f"{name}_help", "")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        roles = set(cleaned.get("roles", []))
        if roles and Role.ADMINISTRATOR not in roles and not cleaned.get("sites") and "sites" not in self.errors:
            self.add_error("sites", self.t["sites_missing"])
        return cleaned

    @staticmethod
    def initial_of(user: User) -> dict[str, Any]:
        """Return the form of an account as it is."""
        member = StaffMember.objects.filter(user=user).first()
        return {
            "full_name": user.get_full_name(),
            "email": user.email,
            "roles": list(member.roles) if member else [],
            "sites": list(member.sites.values_list("key", flat=True)) if member else [],
            "languages": list(member.languages) if member else [],
            "skills": list(member.skills) if member else [],
            "capacity": member.capacity if member else 5,
        }

    def work(self) -> dict[str, Any]:
        """Return what was filled in, as accounts.change takes it."""
        given = ("roles", "sites", "languages", "skills", "capacity", "full_name", "email")
        return {name: self.cleaned_data[name] for name in given}

    def _offer(self, name: str, choices: list[tuple[str, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices


class NewPerson(Person):
    """An account that is made; its password is made for it."""

    username = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autofocus": True, "autocomplete": "off"}))
    field_order = ("username",)

    def clean_username(self) -> str:
        name = str(User.normalize_username(self.cleaned_data["username"]))
        User.username_validator(name)
        return name
