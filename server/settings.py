"""Every knob, read once from OBD_AGENT_* variables, a .env file or flags; every default works without them."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

if TYPE_CHECKING:
    from server.limits import Limits


class Settings(BaseSettings):
    """The settings of one process."""

    model_config = SettingsConfigDict(env_prefix="OBD_AGENT_", env_file=".env", extra="ignore")

    home: Path = Field(default_factory=lambda: user_data_path("obd-agent"))
    database_url: str | None = None
    adapter: str | None = None
    auth: SecretStr | None = None
    reduced_sandbox: bool = False
    body_limit_bytes: int = Field(default=16_000_000, gt=0)
    requests_per_s: float = Field(default=500, ge=0, description="Per caller; 0 for any number.")
    request_burst: int = Field(default=1000, gt=0)
    idle_session_s: float = Field(
        default=1800, gt=0, description="A live session this long silent is finished."
    )
    keep_events_s: float = Field(default=900, gt=0, description="How long live events can be read again.")
    events_bytes: int = Field(
        default=4_000_000, gt=0, description="Size of the kept live events of a session."
    )
    anomaly_share: float = Field(
        default=0.1, ge=0, le=1, description="Share of a core for live anomalies; 0 looks for none."
    )

    # The first two have the names that every program around OpenAI-compatible services knows.
    openai_api_key: SecretStr | None = Field(default=None, validation_alias="OPENAI_API_KEY")
    openai_base_url: str | None = Field(default=None, validation_alias="OPENAI_BASE_URL")
    model: str | None = None
    model_api: Literal["chat", "responses"] = "chat"
    model_context_tokens: int = Field(default=32_000, ge=2_000)
    search_url: str | None = None

    @cached_property
    def database(self) -> str:
        """The database's URL; SQLite in the home where none is set."""
        return self.database_url or f"sqlite:///{(self.home / 'obd-agent.db').expanduser().absolute()}"

    @property
    def limits(self) -> "Limits":
        """What a caller may ask of this process."""
        from server.limits import Limits

        return Limits(
            body_bytes=self.body_limit_bytes,
            requests_per_s=self.requests_per_s,
            burst=self.request_burst,
            keep_events_s=self.keep_events_s,
            events_bytes=self.events_bytes,
            anomaly_share=self.anomaly_share,
        )
