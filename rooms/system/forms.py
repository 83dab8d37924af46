"""What is filled in of an API token."""

from typing import Any

from django import forms

from api.models import ApiToken
from knowledge.models import KnowledgeBase
from rooms.system.wording import WORDS


class TokenForm(forms.Form):
    """A key for a program: to which base, what it may do, until when."""

    name = forms.CharField(max_length=150, widget=forms.TextInput(attrs={"autocomplete": "off", "dir": "auto"}))
    base = forms.ChoiceField()
    scope = forms.ChoiceField(widget=forms.RadioSelect, initial=ApiToken.Scope.READ)
    days = forms.IntegerField(min_value=1, max_value=36_500, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        t = WORDS.here()
        bases = [(base.slug, f"{base.name} ({base.slug})") for base in KnowledgeBase.objects.order_by("name", "slug")]
        scopes = [(scope, t[f"scope_{scope}"]) for scope in ApiToken.Scope.values]
        for name, choices in (("base", bases), ("scope", scopes)):
            field = self.fields[name]
            if isinstance(field, forms.ChoiceField):
                field.choices = choices
        for name, field in self.fields.items():
            field.label, field.help_text = t[f"token_{name}"], t.get(f"token_{name}_help", "")

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"])
        if ApiToken.objects.filter(name=name, revoked=None).exists():
            raise forms.ValidationError(WORDS.here()["token_taken"])
        return name
