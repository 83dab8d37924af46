"""The options in the environment."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from config import environment
from config.environment import ROOT, Config


@pytest.fixture(autouse=True)
def no_options(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Config.model_fields:
        monkeypatch.delenv(f"KEFU_{name.upper()}", raising=False)


def read() -> Config:
    return environment.config.__wrapped__()


def test_without_options_everything_has_a_default() -> None:
    config = read()
    assert (config.engine, config.port, config.production) == (["extractive"], 0, False)
    assert config.var == ROOT / "var"
    assert config.master_key is None


@pytest.mark.parametrize("name", Config.model_fields)
def test_an_empty_variable_is_an_unset_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"KEFU_{name.upper()}", "")
    assert read() == Config()


@pytest.mark.parametrize("name", Config.model_fields)
def test_every_option_is_described(name: str) -> None:
    assert Config.model_fields[name].description


def test_a_list_is_written_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_ALLOWED_HOSTS", "shop.example, ,chat.shop.example,")
    assert read().allowed_hosts == ["shop.example", "chat.shop.example"]
    monkeypatch.setenv("KEFU_TRUSTED_PROXIES", "10.0.0.0/8, ::1")
    assert [str(network) for network in read().trusted_proxies] == ["10.0.0.0/8", "::1/128"]


def test_values_are_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_PORT", "8000")
    monkeypatch.setenv("KEFU_PRODUCTION", "yes")
    monkeypatch.setenv("KEFU_MASTER_KEY", "/etc/kefu.key")
    config = read()
    assert (config.port, config.production, config.master_key) == (8000, True, Path("/etc/kefu.key"))


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("KEFU_PORT", "99999", "65535"),
        ("KEFU_PORT", "http", "integer"),
        ("KEFU_ENGINE", "gpt", "'extractive', 'transformers' or 'openai'"),
        ("KEFU_ENGINE", "openai", "KEFU_ENGINE=openai needs it"),
        ("KEFU_PRODUCTION", "perhaps", "boolean"),
        ("KEFU_ANSWER_SECONDS", "0", "greater than 0"),
        ("KEFU_ANSWER_SECONDS", "nan", "300"),
        ("KEFU_WORKER_THREADS", "1.5", "integer"),
        ("KEFU_MESSAGE_CHARACTERS", "1000000", "20000"),
        ("KEFU_MESSAGES_PER_MINUTE_IP", "0", "greater than or equal to 1"),
        ("KEFU_TRUSTED_PROXIES", "proxy.example", "IPv4 or IPv6 network"),
        ("KEFU_TRUSTED_PROXIES", "10.0.0.0/99", "IPv4 or IPv6 network"),
    ],
)
def test_a_bad_value_names_the_variable_and_what_it_allows(
    name: str, value: str, allowed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ImproperlyConfigured) as caught:
        read()
    assert name in str(caught.value)
    assert allowed in str(caught.value)
    assert value in str(caught.value)


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEFU_PORT", "-1")
    monkeypatch.setenv("KEFU_ENGINE", "gpt")
    with pytest.raises(ImproperlyConfigured, match=r"(?s)KEFU_PORT.*KEFU_ENGINE"):
        read()


def test_an_option_cannot_be_changed_later() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read().port = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"EMAIL_URL": "smtps://shop:secret@mail.example:465", "EMAIL_FROM": "help@shop.example"}, ""),
        ({"EMAIL_FROM": "help@shop.example"}, ""),
        ({"EMAIL_URL": "https://shop:secret@mail.example"}, "KEFU_EMAIL_URL"),
        ({"EMAIL_URL": "smtp://"}, "KEFU_EMAIL_URL"),
        ({"EMAIL_URL": "smtp://mail.example"}, "KEFU_EMAIL_FROM"),
    ],
)
def test_a_mail_server_has_an_address_and_a_sender_and_its_password_is_in_no_message(
    options: dict[str, str], wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in options.items():
        monkeypatch.setenv(f"KEFU_{name}", value)
    if not wrong:
        read()
        return
    with pytest.raises(ImproperlyConfigured, match=wrong) as error:
        read()
    assert "secret" not in str(error.value)
