import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.appearance import Appearance, parse, read
from chatbot.models import Site

FIELD = {"name": "email", "label": {"zh": "邮箱", "en": "E-mail"}, "kind": "email", "required": True}


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"colour": "#1f6b54", "side": "left", "theme": "dark"},
        {"launcher": {"zh": "咨询"}, "greeting": {"en": "Hello!"}},
        {"pre_chat": [FIELD, {"name": "topic", "label": {"en": "Topic"}, "kind": "choice", "choices": ["a", "b"]}]},
        {"suggested": {"zh": ["多久发货？"], "en": ["When will it be sent?"]}, "csat": False},
    ],
)
def test_what_is_right_is_taken(stored: dict[str, Any]) -> None:
    Site(key="k", name="n", knowledge_base="b", widget=stored).clean()
    assert read(stored) == parse(stored)


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ([], ""),
        ({"colour": "red"}, "colour"),
        ({"colour": "#fff;}"}, "colour"),
        ({"side": "top"}, "side"),
        ({"size": 3}, "size"),
        ({"greeting": {"en": "x" * 201}}, "greeting"),
        ({"suggested": {"en": ["x"] * 7}}, "suggested"),
        ({"suggested": {"en": [" "]}}, "suggested"),
        ({"pre_chat": [{**FIELD, "kind": "choice"}]}, "two choices"),
        ({"pre_chat": [{**FIELD, "name": "E-mail"}]}, "name"),
        ({"pre_chat": [{**FIELD, "label": {}}]}, "label"),
        ({"pre_chat": [FIELD, FIELD]}, "same name"),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_read_as_absent(stored: Any, named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        Site(key="k", name="n", knowledge_base="b", widget=stored).clean()
    assert read(stored) == Appearance()


def test_one_wrong_field_does_not_take_the_others_with_it() -> None:
    assert read({"colour": "red", "side": "left", "new": 1}) == Appearance(side="left")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=100)
@given(_JSON | st.dictionaries(st.sampled_from(sorted(Appearance.model_fields)), _JSON, max_size=4))
def test_reading_never_fails(stored: Any) -> None:
    json.dumps(read(stored).offer("zh", profile=False))


def test_every_field_has_a_title() -> None:
    assert all(field.title for field in Appearance.model_fields.values())


def test_the_widget_is_told_what_is_no_default_in_one_language() -> None:
    site = parse({"launcher": {"zh": "咨询"}, "pre_chat": [FIELD], "suggested": {"en": ["How?"]}, "csat": False})
    assert Appearance().offer("zh", profile=False) == {}
    assert site.look("en") == {"launcher": "咨询"}
    assert site.offer("zh", profile=True) == {"launcher": "咨询", "off": ["csat"]}
    form = [{"name": "email", "label": "E-mail", "kind": "email", "required": True}]
    assert site.offer("en", profile=False) == {
        "launcher": "咨询", "questions": ["How?"], "form": form, "off": ["csat"],
    }  # fmt: skip
