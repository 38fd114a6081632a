"""Settings of the user, their sources, and the errors in them.

Precedence: command line, then `RELAYSCOPE_*` variables, then the YAML file, then the defaults here.
"""

from __future__ import annotations

import ipaddress
import os
from datetime import timedelta
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NamedTuple, Self

from platformdirs import user_data_path
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ByteSize,
    ConfigDict,
    Field,
    PositiveInt,
    SecretStr,
    ValidationError,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as SourceError

from relayscope.collector.config.durations import Duration, Lifetime
from relayscope.collector.errors import SettingsError, StartError
from relayscope.conventions.environment import PREFIX, VARIABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_OF_TESTS: Final = f"{PREFIX}TEST_"
"""Prefix of the test suite's own variables."""

_LENGTH: Final = "expected a length of time with its unit: 30d, 12h, 90m"
_SIZE: Final = "expected a size: 4MiB, 50GiB"
_PLAIN_REASONS: Final = {
    "byte_size": _SIZE,
    "byte_size_unit": _SIZE,
    "dict_type": "expected a mapping, as {name: value}",
    "string_type": "expected text; a number in YAML needs quotes for that",
    "time_delta_parsing": _LENGTH,
    "time_delta_type": _LENGTH,
    "tuple_type": "expected a list, as [first, second]",
}
"""Reasons that pydantic gives in Python's words, by the type of its error."""


_LEAST_DATABASE: Final = 64 * 2**20
"""Least bound of the database's size. Without a record it has 11 MB; a number that lacks its unit
(`50`), or `true`, is a bound beyond which it always is."""


class Address(NamedTuple):
    """An address to listen on."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """True if only this machine can connect."""
        if self.host == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def _parse_address(value: object) -> object:
    if isinstance(value, Address):
        return value
    host, colon, port = str(value).rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:  # noqa: PLR2004 - the largest port
        raise ValueError("expected HOST:PORT, for example 127.0.0.1:4317 or [::1]:4317")
    return Address(host.removeprefix("[").removesuffix("]"), int(port))


ListenAddress = Annotated[Address, NoDecode, BeforeValidator(_parse_address)]


def _parse_page(value: object) -> object:
    return None if value is None or value == "none" else _parse_address(value)


PageAddress = Annotated[Address | None, NoDecode, BeforeValidator(_parse_page)]


class Token(BaseModel):
    """A bearer token that clients present; `name` is how the logs speak of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")
    token: SecretStr = Field(min_length=16)
    role: Literal["ingest", "read", "admin"] = "ingest"


def _room_for_a_day(size: int) -> int:
    if size < _LEAST_DATABASE:
        raise ValueError("expected at least 64MiB: with less, all that is past would be removed")
    return size


DatabaseSize = Annotated[ByteSize, AfterValidator(_room_for_a_day)]

ClassName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]


class KeptApart(BaseModel):
    """Records that are kept for another time than the rest: those for which all of it holds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$")
    """Their name in `relayscope retention` and in the names of archives."""
    keep: Lifetime
    """Time for which they are kept."""
    errors: bool = False
    """Only log records of severity ERROR and above, and spans that failed."""
    components: tuple[str, ...] = ()
    """Only records of these."""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if self.name == "rest":
            raise ValueError("rest is what is not kept apart; choose another name")
        if not self.errors and not self.components:
            raise ValueError("say which records: errors, components, or both")
        return self


class Settings(BaseSettings):
    """The settings of `relayscope serve` and of the commands that read.

    Sizes are bytes and take units (`4MiB`); durations have a unit (`30d`) or are ISO 8601.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
    )

    data_dir: Path = Field(default_factory=lambda: user_data_path("relayscope"))
    """Folder of the embedded PostgreSQL and of the outage spool."""
    database_url: SecretStr | None = None
    """A PostgreSQL to use instead of the embedded one."""

    grpc: ListenAddress = Address("127.0.0.1", 4317)
    """Address of OTLP/gRPC; port 0 takes a free one."""
    http: ListenAddress = Address("127.0.0.1", 4318)
    """Address of OTLP/HTTP, `/healthz`, `/readyz` and `/metrics`; port 0 takes a free one."""
    page: PageAddress = Address("127.0.0.1", 4319)
    """Address of the page in a browser; port 0 takes a free one, `none` is without a page."""
    http_hosts: tuple[str, ...] = ()
    """Names besides loopback's that HTTP requests may have in `Host`, such as that of a proxy.
    Elsewhere than on loopback any name will do, unless some are set."""
    workers: PositiveInt = 1
    """Number of receiver processes that share the two ports."""

    tls_certificate: Path | None = None
    """PEM certificate chain for both listeners."""
    tls_key: Path | None = None
    """PEM key of that certificate."""
    tls_client_ca: Path | None = None
    """PEM certificates whose clients are let in; set it for mutual TLS."""
    tokens: tuple[Token, ...] = ()
    """Bearer tokens; without any, whoever can connect is let in."""
    insecure: bool = False
    """Listen elsewhere than on loopback even without TLS and tokens."""

    sanitizer_rules: Path | None = None
    """A YAML file with sanitizer rules; without it the default rules hold."""

    keep_binary: bool = False
    """Keep the base64 of images, audio and blobs instead of type, size and digest. A traced process
    has the same variable; what one of the two takes out is gone."""

    component_classes: dict[ClassName, tuple[str, ...]] = Field(
        default={"relay": ("*relay*", "*proxy*", "*gateway*"), "client": ("*client*",)},
        max_length=16,
    )
    """Classes by which the collector's metrics are counted, each with patterns for the components
    (their `service.name`) that belong to it; the others are `other`."""

    grpc_max_message: ByteSize = Field(default=ByteSize(4 * 2**20), gt=0, lt=2**31)
    """Largest OTLP/gRPC request, after decompression (the OTLP default)."""
    http_max_body: ByteSize = Field(default=ByteSize(20 * 2**20), gt=0)
    """Largest OTLP/HTTP request, before and after decompression (the OTLP default)."""
    max_in_flight: ByteSize = Field(default=ByteSize(24 * 2**20), gt=0)
    """Requests being decoded and stored, in bytes; beyond it requests are refused, retryable."""
    max_connections: PositiveInt = 512
    """Connections at a time at each of the two ports; beyond it they are refused, retryable."""
    receive_timeout: float = Field(default=10, gt=0)
    """Seconds that a client may take to send its request."""
    answer_timeout: float = Field(default=8, gt=0)
    """Seconds until a request not stored yet is refused, retryable (OTLP clients wait 10)."""
    stop_timeout: float = Field(default=10, gt=0)
    """Seconds that requests in flight get to finish when the collector stops."""
    outage_max_bytes: ByteSize = Field(default=ByteSize(512 * 2**20), ge=2**20)
    """Bytes that may wait on disk, in each worker, while PostgreSQL is away."""
    duplicate_window: Duration = timedelta(hours=24)
    """Time for which a repeated request is recognised."""

    partition_width: Duration = Field(
        default=timedelta(days=1), ge=timedelta(hours=1), le=timedelta(days=31)
    )
    """Range of time that a new partition holds; records are removed in such steps."""
    seal_after: Duration = timedelta(hours=1)
    """Time after the end of a partition at which it is packed and indexed."""
    keep_logs: Lifetime | None = timedelta(days=30)
    """Time for which log records are kept, messages among them; null for ever."""
    keep_traces: Lifetime | None = timedelta(days=30)
    """Time for which spans are kept; null for ever."""
    keep_metrics: Lifetime | None = timedelta(days=30)
    """Time for which metric points are kept; null for ever."""
    keep_apart: tuple[KeptApart, ...] = (
        KeptApart(name="errors", errors=True, keep=timedelta(days=90)),
    )
    """Records that are kept for another time; a record belongs to the first that it fits."""
    max_database_bytes: DatabaseSize | None = None
    """Upper bound of the database's size; beyond it records nearest to their end are removed."""
    archive_dir: Path | None = None
    """Folder to which records are written before they are removed; without it they are lost."""
    upkeep_database_url: SecretStr | None = None
    """User and database for sealing and removing, where that of `database_url` may only write."""
    page_database_url: SecretStr | None = None
    """User and database for the page, where `database_url` is a user who may only write."""

    @model_validator(mode="after")
    def _check_together(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key are set together or not at all")
        if self.tls_client_ca is not None and self.tls_certificate is None:
            raise ValueError("tls_client_ca needs tls_certificate and tls_key")
        if self.max_in_flight < max(self.grpc_max_message, self.http_max_body):
            raise ValueError(
                "max_in_flight must not be less than grpc_max_message and http_max_body: "
                "the largest requests would be tried again for ever"
            )
        for what, names in (
            ("tokens", [token.name for token in self.tokens]),
            ("keep_apart", [each.name for each in self.keep_apart]),
        ):
            if len(set(names)) < len(names):
                raise ValueError(f"{what}: each name may be used once")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return no sources: `load` merges them, and so knows where each setting is from."""
        return (init_settings,)


def load(command_line: Mapping[str, Any], config: Path | None = None) -> Settings:
    """Load and check all settings.

    Args:
        command_line: values given as options, by setting name.
        config: the YAML file, if any.

    Raises:
        SettingsError: a setting is unknown or wrong, anywhere; the message is one line that names
            it and where it is from, and never repeats its value.
    """
    file = _read_file(config) if config else {}
    environment = _read_environment()
    sources = _Sources(command_line, environment, config)
    given = {**file, **environment, **command_line}
    for name, value in given.items():
        # For a folder it would be the one in which the command happens to be started.
        if value == "":  # zero and False are values
            raise SettingsError(f"{sources.of((name,))}: is empty; leave it out for the default")
    try:
        return Settings(**given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        reason = _PLAIN_REASONS.get(first["type"], first["msg"].removeprefix("Value error, "))
        if not first["loc"]:
            raise SettingsError(reason) from None
        if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
            nearest = _nearest(str(first["loc"][0]), Settings.model_fields)
            reason = f"unknown setting; the nearest known one is {nearest}"
        raise SettingsError(f"{sources.of(first['loc'])}: {reason}") from None


class _Sources(NamedTuple):
    """The sources of settings, to name the one that counts."""

    command_line: Mapping[str, Any]
    environment: Mapping[str, Any]
    config: Path | None

    def of(self, place: Sequence[str | int]) -> str:
        """Return the option, variable or line that a setting, or a part of it, is from."""
        name = str(place[0])
        if name in self.command_line:
            return f"--{name.replace('_', '-')}"
        if name in self.environment:
            return f"{PREFIX}{name.upper()}"
        return f"{self.config}: {'.'.join(str(part) for part in place)}"


def _read_file(config: Path) -> dict[str, Any]:
    from relayscope.collector.config.yaml_file import read_yaml_file  # noqa: PLC0415  # a twentieth of the time of a start

    try:
        content = read_yaml_file(config) or {}
    except StartError as error:
        raise SettingsError(str(error)) from None
    if not isinstance(content, dict):
        raise SettingsError(f"{config}: expected a mapping of settings")
    return {str(key): value for key, value in content.items()}


def _read_environment() -> dict[str, Any]:
    _check_variables()
    try:
        return dict(EnvSettingsSource(Settings)())
    except SourceError as error:
        # The one place where the library says which variable it was.
        named = next((name for name in Settings.model_fields if f'"{name}"' in str(error)), "")
        raise SettingsError(f"{PREFIX}{named.upper()}: expected JSON, as in a YAML file") from None


def _check_variables() -> None:
    """Refuse a variable that neither the collector nor a traced process knows: it is misspelt."""
    known = VARIABLES | {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    for variable in sorted(os.environ):
        if (
            variable.startswith(PREFIX)
            and not variable.startswith(_OF_TESTS)
            and variable not in known
        ):
            nearest = _nearest(variable, known)
            raise SettingsError(f"{variable}: unknown variable; the nearest known one is {nearest}")


def _nearest(name: str, known: Iterable[str]) -> str:
    return get_close_matches(name, known, n=1, cutoff=0)[0]
