"""Settings from the environment; refuses to start when a secret is missing in production."""

import base64
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class SettingsError(RuntimeError):
    """The environment does not hold what is needed. The message names the variables and what to do."""


class Settings(BaseSettings):
    """What differs between places. Names in the environment are given with each field."""

    model_config = SettingsConfigDict(extra="ignore", populate_by_name=True)

    environment: Literal["development", "test", "production"] = Field("production", alias="MEDSTEAD_ENVIRONMENT")
    database_url: str = Field(alias="DATABASE_URL")
    database_owner_url: str | None = Field(None, alias="DATABASE_OWNER_URL")
    database_benchmark_url: str | None = Field(None, alias="DATABASE_BENCHMARK_URL")
    behind_pgbouncer: bool = Field(False, alias="MEDSTEAD_BEHIND_PGBOUNCER")
    redis_url: str = Field(alias="REDIS_URL")
    secret_key: str = Field(alias="MEDSTEAD_SECRET_KEY")
    base_url: str = Field("http://127.0.0.1:8000", alias="MEDSTEAD_BASE_URL")
    require_second_factor: bool = Field(
        default_factory=lambda values: values.get("environment") == "production", alias="MEDSTEAD_REQUIRE_SECOND_FACTOR"
    )
    data_dir: Path = Field(Path(".data"), alias="MEDSTEAD_DATA_DIR")
    report_files_days: int = Field(14, alias="MEDSTEAD_REPORT_FILES_DAYS", ge=1, le=365)
    smtp_host: str = Field("127.0.0.1", alias="MEDSTEAD_SMTP_HOST")
    smtp_port: int = Field(25, alias="MEDSTEAD_SMTP_PORT")
    smtp_username: str | None = Field(None, alias="MEDSTEAD_SMTP_USERNAME")
    smtp_password: str | None = Field(None, alias="MEDSTEAD_SMTP_PASSWORD")
    smtp_start_tls: bool = Field(False, alias="MEDSTEAD_SMTP_START_TLS")
    notify_url: str = Field("https://api.notifications.service.gov.uk", alias="MEDSTEAD_NOTIFY_URL")
    cqc_url: str = Field("https://api.service.cqc.org.uk/public/v1", alias="MEDSTEAD_CQC_URL")
    cqc_key: str | None = Field(None, alias="MEDSTEAD_CQC_KEY")
    ods_url: str | None = Field(None, alias="MEDSTEAD_ODS_URL")
    eventbrite_url: str = Field("https://www.eventbriteapi.com/v3", alias="MEDSTEAD_EVENTBRITE_URL")
    graph_url: str = Field("https://graph.microsoft.com/v1.0", alias="MEDSTEAD_GRAPH_URL")
    graph_login_url: str = Field("https://login.microsoftonline.com", alias="MEDSTEAD_GRAPH_LOGIN_URL")
    mailbox_url: str | None = Field(None, alias="MEDSTEAD_MAILBOX_URL")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", alias="MEDSTEAD_LOG_LEVEL")
    graphql_bucket: int = Field(100_000, alias="MEDSTEAD_GRAPHQL_BUCKET", gt=0)
    graphql_restored: int = Field(2_000, alias="MEDSTEAD_GRAPHQL_RESTORED_PER_SECOND", gt=0)
    graphql_maximum_cost: int = Field(25_000, alias="MEDSTEAD_GRAPHQL_MAXIMUM_COST", gt=0)
    graphql_trusted_only: bool = Field(False, alias="MEDSTEAD_GRAPHQL_TRUSTED_ONLY")
    lease_seconds: float = Field(60, alias="MEDSTEAD_LEASE_SECONDS", gt=0)
    webhook_allow_loopback: bool = Field(False, alias="MEDSTEAD_WEBHOOK_ALLOW_LOOPBACK")
    webhook_disable_after_days: float = Field(5, alias="MEDSTEAD_WEBHOOK_DISABLE_AFTER_DAYS", gt=0, le=365)
    allow_bypass_for_tests: bool = Field(False, alias="MEDSTEAD_ALLOW_BYPASS_FOR_TESTS")

    @model_validator(mode="after")
    def _safe(self) -> "Settings":
        if len(self.key) != 32:
            raise ValueError("MEDSTEAD_SECRET_KEY must be 32 bytes in URL-safe base64")
        if self.graphql_maximum_cost > self.graphql_bucket:
            raise ValueError("MEDSTEAD_GRAPHQL_BUCKET must hold at least MEDSTEAD_GRAPHQL_MAXIMUM_COST")
        if self.environment == "production":
            if not self.base_url.startswith("https://"):
                raise ValueError("MEDSTEAD_BASE_URL must begin with https:// in production")
            outside = {
                "MEDSTEAD_EVENTBRITE_URL": self.eventbrite_url,
                "MEDSTEAD_GRAPH_URL": self.graph_url,
                "MEDSTEAD_GRAPH_LOGIN_URL": self.graph_login_url,
                "MEDSTEAD_CQC_URL": self.cqc_url,
                "MEDSTEAD_ODS_URL": self.ods_url,
                "MEDSTEAD_NOTIFY_URL": self.notify_url,
            }
            for name, url in outside.items():
                if url is not None and not url.startswith("https://"):
                    raise ValueError(f"{name} must begin with https:// in production")
            if self.allow_bypass_for_tests:
                raise ValueError("MEDSTEAD_ALLOW_BYPASS_FOR_TESTS is for the test suite only")
            if self.smtp_username and not self.smtp_start_tls:
                raise ValueError("MEDSTEAD_SMTP_START_TLS must be true where MEDSTEAD_SMTP_USERNAME is set")
            if self.webhook_allow_loopback:
                raise ValueError("MEDSTEAD_WEBHOOK_ALLOW_LOOPBACK must not be set in production: remove it")
        return self

    @cached_property
    def key(self) -> bytes:
        """The master key from which every other key is derived."""
        try:
            return base64.urlsafe_b64decode(self.secret_key)
        except ValueError:
            return b""


def load_settings() -> Settings:
    """Read the environment. Raises SettingsError."""
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'settings'}: {fault['msg']}" for fault in error.errors()
        )
        raise SettingsError(f"The settings are not complete: {faults}. See README, “Your own servers”.") from error
