"""What production refuses to start with: each answer names the variable and what to do."""

import base64

import pytest

from app.settings import SettingsError, load_settings

SOUND = {
    "MEDSTEAD_ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql+asyncpg://somebody@127.0.0.1/somewhere",
    "REDIS_URL": "redis://127.0.0.1:6379/0",
    "MEDSTEAD_SECRET_KEY": base64.urlsafe_b64encode(bytes(32)).decode(),
    "MEDSTEAD_BASE_URL": "https://medstead.example",
}


@pytest.fixture(autouse=True)
def sound(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that production starts with."""
    for name, value in SOUND.items():
        monkeypatch.setenv(name, value)


def test_a_sound_environment_is_taken() -> None:
    assert load_settings().require_second_factor


@pytest.mark.parametrize(
    "name",
    [
        "MEDSTEAD_BASE_URL",
        "MEDSTEAD_CQC_URL",
        "MEDSTEAD_ODS_URL",
        "MEDSTEAD_NOTIFY_URL",
        "MEDSTEAD_EVENTBRITE_URL",
        "MEDSTEAD_GRAPH_URL",
        "MEDSTEAD_GRAPH_LOGIN_URL",
    ],
)
def test_keys_and_names_go_nowhere_in_the_clear(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://elsewhere.example")
    with pytest.raises(SettingsError, match=f"{name} must begin with https://"):
        load_settings()


def test_a_password_for_mail_needs_tls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDSTEAD_SMTP_USERNAME", "medstead")
    with pytest.raises(SettingsError, match="MEDSTEAD_SMTP_START_TLS must be true"):
        load_settings()
    monkeypatch.setenv("MEDSTEAD_SMTP_START_TLS", "true")
    assert load_settings().smtp_start_tls
