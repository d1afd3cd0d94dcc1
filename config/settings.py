"""Every setting: its type, its default and a sentence.

Settings come from `NEXTREEL_*` variables, then a `.env`, then a `nextreel.toml` in the folder one starts in; with none
of them the program runs. Knows nothing of what the settings are used for.
"""

from __future__ import annotations

import difflib
import io
import os
import tomllib
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from dotenv import dotenv_values
from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

PREFIX = "NEXTREEL_"
TOML = Path("nextreel.toml")
DOTENV = Path(".env")


class SettingsError(ValueError):
    """A setting is wrong; the text is one sentence that names it."""

    exit_code: ClassVar[int] = 78


class Provider(StrEnum):
    """What computes: CUDA where it is there (`auto`), or one of the two by name."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class LogFormat(StrEnum):
    """Log lines for people or for machines."""

    CONSOLE = "console"
    JSON = "json"


class LogLevel(StrEnum):
    """The least important log line that is written."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARNING = "WARNING"
    ERROR = "ERROR"


class Settings(BaseSettings):
    """All settings; made by `load`, frozen afterwards."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=DOTENV, toml_file=TOML, extra="ignore", frozen=True, env_ignore_empty=True
    )

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("nextreel", appauthor=False),
        validate_default=True,
        description="Folder for the database and the log of the terminal.",
    )
    database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL of the database; by default an SQLite file in the data folder."
    )
    redis_url: SecretStr | None = Field(
        None, description="URL of Redis, for what several processes share and may lose; without it none is used."
    )
    bundle: Path | None = Field(None, description="Folder of the model bundle; by default the one that ships.")
    aliases: Path | None = Field(
        None, description="TOML file of names that people here use for films, beside those that ship."
    )
    provider: Provider = Field(Provider.AUTO, description="What computes: auto, cpu or cuda.")
    time_zone: str | None = Field(
        None, description="IANA time zone of people whose platform tells none; by default this machine's."
    )
    slate_size: int = Field(5, ge=1, le=10, description="Films in an answer when nobody says how many.")
    adventurousness: float = Field(0.3, ge=0, le=1, description="0 prefers well-known films, 1 those under the radar.")
    diversity: float = Field(0.3, ge=0, le=1, description="0 takes the best scores, 1 the most varied slate.")
    context_minutes: int = Field(60, ge=1, le=10_080, description="How long a conversation's context is kept.")
    messages_per_minute: int = Field(
        60, ge=0, description="Messages a minute that one person may send (0: any number); the terminal has no limit."
    )
    place_messages_per_minute: int = Field(
        600, ge=0, description="Messages a minute that are answered in one channel (0: any number)."
    )
    keep_slates_days: int = Field(
        365, ge=0, le=36_500, description="Days after which slates and the texts of answers are deleted (0: never)."
    )
    keep_inactive_days: int = Field(
        0,
        ge=0,
        le=36_500,
        description="Days without telling anything after which everything about a person is erased (0: never).",
    )
    discord_token: SecretStr | None = Field(
        None, description="Token of the bot in Discord's developer portal; with it “nextreel run” answers there."
    )
    discord_api_url: str | None = Field(
        None, description="Base address of Discord's HTTP API, with its version; by default Discord's own."
    )
    discord_gateway_url: str | None = Field(
        None, description="Address of Discord's gateway; by default the one that its HTTP API names."
    )
    log_level: LogLevel = Field(LogLevel.INFO, description="Least important log line that is written.")
    log_format: LogFormat = Field(LogFormat.CONSOLE, description="Log lines for people (console) or machines (json).")
    log_file: Path | None = Field(
        None,
        description="File for the log; by default standard error, and in the terminal nextreel.log in the data folder.",
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str | None) -> str | None:
        if value is not None and value not in available_timezones():
            raise ValueError("expected an IANA time zone such as Europe/Berlin")
        return value

    @field_validator("discord_api_url", "discord_gateway_url")
    @classmethod
    def _address(cls, value: str | None, info: ValidationInfo) -> str | None:
        schemes = ("ws://", "wss://") if info.field_name == "discord_gateway_url" else ("http://", "https://")
        if value is not None and not value.startswith(schemes):
            raise ValueError(f"expected an address that begins with {' or '.join(schemes)}")
        return value

    @field_validator("data_dir", "bundle", "aliases", "log_file")
    @classmethod
    def _home(cls, value: Path | None) -> Path | None:
        try:
            return value if value is None else value.expanduser()
        except RuntimeError:
            raise ValueError("expected a path whose ~ is somebody's home on this machine") from None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003  (pydantic-settings passes it by name)
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Variables before `.env` before `nextreel.toml`."""
        return init_settings, env_settings, dotenv_settings, TomlConfigSettingsSource(settings_cls)

    @property
    def zone(self) -> ZoneInfo | None:
        """The time zone that was set, or None for this machine's."""
        return ZoneInfo(self.time_zone) if self.time_zone else None

    @property
    def database(self) -> str | Path:
        """The URL that was set, or the SQLite file in the data folder. It may hold a password: never log it."""
        return self.database_url.get_secret_value() if self.database_url else self.data_dir / "nextreel.db"


def load() -> Settings:
    """The settings of this process. SettingsError names the one that is wrong, unknown or unreadable."""
    try:
        in_toml = tomllib.loads(_text(TOML))
        _refuse_unknown([*os.environ, *dotenv_values(stream=io.StringIO(_text(DOTENV)))])
        _refuse_unknown(PREFIX + name for name in in_toml)
        return Settings()
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        raise SettingsError(_sentence(first["loc"], first["msg"])) from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{TOML} is not valid TOML: {error}.") from None
    except OSError as error:
        raise SettingsError(f"{error.filename} can't be read: {error.strerror}.") from None


def _text(file: Path) -> str:
    """What a file of settings says, nothing when there is none. SettingsError when it is no text."""
    try:
        return file.read_text(encoding="utf-8") if file.is_file() else ""
    except UnicodeDecodeError:
        raise SettingsError(f"{file} is not a text file in UTF-8.") from None


def _refuse_unknown(variables: Iterable[str]) -> None:
    for variable in variables:
        name = variable.upper().removeprefix(PREFIX).lower()
        if variable.upper().startswith(PREFIX) and name not in Settings.model_fields:
            near = difflib.get_close_matches(name, Settings.model_fields, n=1)
            hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else "."
            raise SettingsError(f"There is no setting {variable.upper()}{hint}")


def _sentence(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0]).upper().removeprefix(PREFIX) if location else ""
    said = message.removeprefix("Value error, ").removeprefix("Input should be ")
    should = "" if said.startswith("expected") else "it should be "
    return f"The setting {PREFIX}{name} is wrong: {should}{said}."
