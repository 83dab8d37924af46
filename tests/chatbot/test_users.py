"""What a site may sign about its users, and what nobody else may."""

import base64
import json
import time
import uuid
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatbot.users import KnownUser, UserRefused, is_known, read_user, visitor_id

SECRET, OTHER_SECRET = "s" * 64, "o" * 64


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    all_claims = {"sub": "user-7", "iat": now, "exp": now + 3000, "jti": uuid.uuid4().hex, "aud": "shop", **changes}
    return {name: value for name, value in all_claims.items() if value is not ...}


def signed(secret: str = SECRET, algorithm: str = "HS256", **changes: Any) -> str:
    return jwt.encode(claims(**changes), secret, algorithm=algorithm)


def by_hand(header: dict[str, Any], body: dict[str, Any], signature: str = "") -> str:
    def part(data: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()

    return f"{part(header)}.{part(body)}.{signature}"


def test_a_user_is_read() -> None:
    user = read_user(signed(jti="j1", name=" Li  Wei ", email="li@example.com"), secret=SECRET, site="shop")
    assert user == KnownUser("user-7", "j1", user.expires, (("name", "Li Wei"), ("email", "li@example.com")))


GOOD = {
    "nothing about the user": ({}, ()),
    "attributes": ({"attributes": {"plan": "gold", "orders": 3, "vip": True}}, ("plan", "orders", "vip")),
    "empty ones are left out": ({"name": "", "email": None, "attributes": {"plan": " "}}, ()),
    "an attribute cannot pass for the name": ({"name": "Li", "attributes": {"name": "Wang"}}, ("name",)),
    "the longest time": ({"exp": int(time.time()) + 3600, "iat": int(time.time())}, ()),
    "a clock that is a little fast": ({"iat": int(time.time()) + 10, "exp": int(time.time()) + 3000}, ()),
    "a Chinese subject": ({"sub": "用户七"}, ()),
}


@pytest.mark.parametrize(("changes", "keys"), GOOD.values(), ids=GOOD)
def test_what_a_site_may_say(changes: dict[str, Any], keys: tuple[str, ...]) -> None:
    assert tuple(key for key, _ in read_user(signed(**changes), secret=SECRET, site="shop").profile) == keys


NOW = int(time.time())
BAD = {
    "another secret": signed(OTHER_SECRET),
    "another site's": signed(aud="other"),
    "ours among other sites": signed(aud=["shop", "other"]),
    "no audience": signed(aud=...),
    "HS384": signed(algorithm="HS384"),
    "HS512": signed(algorithm="HS512"),
    "none": by_hand({"alg": "none", "typ": "JWT"}, claims()),
    "None": by_hand({"alg": "None"}, claims()),
    "none, with a signature": by_hand({"alg": "none"}, claims(), "c2lnbmVk"),
    "HS256 without a signature": by_hand({"alg": "HS256"}, claims()),
    "no algorithm": by_hand({}, claims()),
    "RS256": by_hand({"alg": "RS256"}, claims(), "c2lnbmVk"),
    "a key of its own": by_hand({"alg": "HS256", "jwk": {"kty": "oct", "k": ""}}, claims(), "c2lnbmVk"),
    "a key file": by_hand({"alg": "HS256", "kid": "../../dev/null"}, claims(), "c2lnbmVk"),
    "no subject": signed(sub=...),
    "an empty subject": signed(sub=""),
    "a subject with NUL": signed(sub="a\0"),
    "a subject that is too long": signed(sub="a" * 256),
    "no jti": signed(jti=...),
    "an empty jti": signed(jti=""),
    "no iat": signed(iat=...),
    "no exp": signed(exp=...),
    "from the future": signed(iat=NOW + 3600, exp=NOW + 4000),
    "valid for too long": signed(exp=NOW + 3700, iat=NOW - 60),
    "valid for ever": signed(exp=2**53),
    "ends before it begins": signed(iat=NOW + 3000, exp=NOW + 2990),
    "an exp that is no number": signed(exp="soon"),
    "an infinite exp": by_hand({"alg": "HS256"}, claims(exp=float("inf")), "c2lnbmVk"),
    "not yet": signed(nbf=NOW + 2900),
    "attributes that are a list": signed(attributes=["a"]),
    "an attribute that is an object": signed(attributes={"a": {"b": 1}}),
    "too many attributes": signed(attributes={str(n): n for n in range(21)}),
    "an attribute that is too long": signed(attributes={"a": "b" * 501}),
    "an attribute's name with a newline": signed(attributes={"a\nname: b": "c"}),
    "a name that is a list": signed(name=["Li"]),
    "no JWT": "hello",
    "empty parts": "..",
    "nothing but dots": "." * 4096,
    "no ASCII": "客.服.客",
    "a JSON bomb": by_hand({"alg": "HS256"}, {}, "") + base64.urlsafe_b64encode(b"[" * 3000).decode(),
}


@pytest.mark.parametrize("token", BAD.values(), ids=BAD)
def test_what_is_not_accepted(token: str) -> None:
    with pytest.raises(UserRefused) as caught:
        read_user(token, secret=SECRET, site="shop")
    assert caught.value.code == "user_invalid"


def test_an_expired_one_says_so_but_only_if_it_was_signed() -> None:
    old = {"iat": NOW - 1000, "exp": NOW - 100}
    for token, code in ((signed(**old), "user_expired"), (signed(OTHER_SECRET, **old), "user_invalid")):
        with pytest.raises(UserRefused) as caught:
            read_user(token, secret=SECRET, site="shop")
        assert caught.value.code == code


@settings(max_examples=100)
@given(st.data())
def test_a_changed_character_makes_it_nobodys(data: st.DataObject) -> None:
    token = signed(jti="j1")
    at = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.sampled_from("aB0_-.=").filter(lambda c: c != token[at]))
    try:
        user = read_user(token[:at] + character + token[at + 1 :], secret=SECRET, site="shop")
    except UserRefused:
        return
    assert (user.subject, user.token_id) == ("user-7", "j1")  # base64 has unused bits at its end


@settings(max_examples=100)
@given(st.integers(1, 3), st.text(max_size=20), st.integers(1, 3), st.text(max_size=20))
def test_every_user_of_every_site_is_a_visitor_of_their_own(site: int, a: str, other_site: int, b: str) -> None:
    one, other = visitor_id(site, a, secret=b"k"), visitor_id(other_site, b, secret=b"k")
    assert (one == other) == ((site, a) == (other_site, b))
    assert is_known(one)
    assert one != visitor_id(site, a, secret=b"another installation")
    assert uuid.UUID(one.hex).variant == uuid.RFC_4122


def test_an_anonymous_visitor_is_never_a_known_one() -> None:
    assert not any(is_known(uuid.uuid4()) for _ in range(100))
