"""What is filled in of a site. Lists are typed one a line."""

from typing import Any
from urllib.parse import urlsplit

from django import forms

from chatbot.models import MOST_PERSONA, Site
from knowledge.models import KnowledgeBase
from rooms.sites.wording import WORDS

LANGUAGES = (("zh", "中文"), ("en", "English"))
MOST_LINES = 100


class Lines(forms.CharField):
    """A list, one item a line."""

    def __init__(self, **options: Any) -> None:
        options.setdefault("widget", forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "dir": "auto"}))
        super().__init__(required=False, max_length=8000, **options)

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        lines = [line.strip() for line in str(value or "").splitlines()]
        return list(dict.fromkeys(filter(None, lines)))[:MOST_LINES]

    def run_validators(self, value: Any) -> None:
        super().run_validators("\n".join(value))


class Worded(forms.Form):
    """A form whose labels and helps are the room's words: `name`, `name_help`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **({"label_suffix": ""} | kwargs))
        self.t = WORDS.here()
        for name, field in self.fields.items():
            field.label = self.t.get(f"{name}_field", self.t.get(name, name))
            field.help_text = self.t.get(f"{name}_help", "")


class NewSite(Worded):
    """A site's first words: the rest has defaults."""

    name = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"autofocus": True, "dir": "auto"}))
    languages = forms.MultipleChoiceField(choices=LANGUAGES, widget=forms.CheckboxSelectMultiple, initial=["zh", "en"])
    base = forms.ChoiceField(required=False, initial="")
    new_base = forms.SlugField(required=False, max_length=100)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_bases(self.fields["base"], self.t["base_new"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        check_base(self, cleaned)
        return cleaned


class SiteForm(Worded):
    """What a site says of itself."""

    name = forms.CharField(max_length=200, widget=forms.TextInput(attrs={"dir": "auto"}))
    allowed_origins = Lines()
    base = forms.ChoiceField(required=False)
    new_base = forms.SlugField(required=False, max_length=100)
    languages = forms.MultipleChoiceField(choices=LANGUAGES, widget=forms.CheckboxSelectMultiple)
    preferred = forms.ChoiceField(choices=LANGUAGES, required=False)
    bot_name = forms.CharField(max_length=60, required=False, widget=forms.TextInput(attrs={"dir": "auto"}))
    persona = forms.CharField(
        max_length=MOST_PERSONA, required=False, widget=forms.Textarea(attrs={"rows": 4, "dir": "auto"})
    )
    contacts = Lines()
    answer_within = forms.IntegerField(min_value=5, max_value=86_400)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        add_bases(self.fields["base"], self.t["base_new"], str(self.initial.get("base", "")))

    @staticmethod
    def initial_of(site: Site) -> dict[str, Any]:
        """Return the form of a site as it is."""
        kept = ("name", "allowed_origins", "languages", "bot_name", "persona", "contacts", "answer_within")
        preferred = site.languages[0] if site.languages else "zh"
        return {name: getattr(site, name) for name in kept} | {"base": site.knowledge_base, "preferred": preferred}

    def clean_allowed_origins(self) -> list[str]:
        return clean_origins(self.cleaned_data["allowed_origins"], self.t["bad_origin"])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        check_base(self, cleaned)
        first = cleaned.get("preferred")
        cleaned["languages"] = sorted(cleaned.get("languages", []), key=lambda language: language != first)
        return cleaned

    def changes(self) -> dict[str, Any]:
        """Return what was filled in, by the site's fields."""
        return {
            name: value for name, value in self.cleaned_data.items() if name not in ("base", "new_base", "preferred")
        }


class Retention(Worded):
    """How long conversations are kept."""

    retention_days = forms.IntegerField(min_value=0, max_value=36_500)


def clean_origins(lines: list[str], refusal: str) -> list[str]:
    """Return the origins, each once. Raises ValidationError with `refusal`, which names the `{line}` that is none."""
    found = {}
    for line in lines:
        try:
            found[origin(line)] = True
        except ValueError:
            raise forms.ValidationError(refusal.format(line=line)) from None
    return list(found)


def origin(line: str) -> str:
    """Return an origin as browsers write it. Raises ValueError for whatever is none, such as a page's address."""
    parts = urlsplit(line.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ValueError(line)
    if parts.path not in ("", "/") or "*" in parts.netloc or any(char.isspace() for char in line.strip()):
        raise ValueError(line)
    host = parts.hostname if parts.hostname.isascii() else parts.hostname.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    default = {"http": 80, "https": 443}[parts.scheme]
    return f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port not in (None, default) else "")


def add_bases(field: forms.Field, new: str, now: str = "") -> None:
    """Offer all bases, the one that is meant `now` even where it has no documents yet, and a new one."""
    bases = [(base.slug, f"{base.name} ({base.slug})") for base in KnowledgeBase.objects.order_by("name", "slug")]
    if now and now not in dict(bases):
        bases.append((now, now))
    if isinstance(field, forms.ChoiceField):
        field.choices = [*bases, ("", new)]


def check_base(form: Worded, cleaned: dict[str, Any]) -> None:
    """Settle which base is meant: the chosen one, or a new one by its name."""
    wanted = cleaned.get("base") or cleaned.get("new_base")
    if wanted:
        cleaned["knowledge_base"] = wanted
    elif "base" not in form.errors and "new_base" not in form.errors:
        form.add_error("new_base", form.t["base_missing"])
