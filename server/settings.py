"""Every knob, read once from OBD_AGENT_* variables, a .env file or flags; every default works without them."""

from functools import cached_property
from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix="OBD_AGENT_", env_file=".env", extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path("obd-agent"))
    database_url: str | None = None
    adapter: str | None = None
    auth: SecretStr | None = None
    reduced_sandbox: bool = False

    @cached_property
    def database(self) -> str:
        """The database's URL; SQLite in the home where none is set."""
        return self.database_url or f"sqlite:///{(self.home / 'obd-agent.db').expanduser().absolute()}"
