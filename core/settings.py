"""The environment, read once into one frozen object."""

from functools import cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

HOME = Path(__file__).resolve().parent.parent
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class Settings(BaseSettings):
    """`PORTAL_…` settings; the README has them as a table."""

    model_config = SettingsConfigDict(env_prefix="PORTAL_", frozen=True, extra="ignore")

    database_url: str = Field(
        default=f"sqlite:///{HOME / 'var' / 'portal.db'}",
        description="database of the portal: SQLite, or PostgreSQL 16 or newer",
    )
    address: str = Field(default="127.0.0.1", description="address the portal listens on")
    port: int = Field(default=8501, description="port the portal listens on", ge=1, le=65535)
    demo: bool = Field(default=False, description="one-click sign-ins; only on a demo database bound to loopback")
    public_url: str = Field(default="", description="address that people use, for links in messages and cookies")
    sign_in_days: int = Field(default=14, description="days after which a sign-in ends by itself", ge=1, le=365)
    trusted_proxies: str = Field(default="", description="addresses of reverse proxies, with commas between")
    log_level: str = Field(default="INFO", description="how much is logged")

    @property
    def on_loopback(self) -> bool:
        """Whether only this machine can reach the portal."""
        return self.address in LOOPBACK

    @property
    def base_url(self) -> str:
        """Where links lead."""
        return self.public_url.rstrip("/") or f"http://{self.address}:{self.port}"


@cache
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
