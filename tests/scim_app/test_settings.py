"""Settings come from the environment, and what is wrong with one is said with its name."""

import stat
from pathlib import Path

import make
import pytest
from pydantic import ValidationError

from scim_app.settings import Settings


def test_everything_has_a_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(f"DAGSTER_SCIM_{name.upper()}", raising=False)
    settings = Settings()
    assert settings.home == tmp_path / "data"
    assert settings.store_url == f"sqlite:///{tmp_path}/data/store.sqlite3"
    assert settings.scim_base_url("acme") == "http://127.0.0.1:8000/acme/scim/v2"
    assert settings.alert_urls == ()


def test_alert_addresses_are_separated_by_white_space(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAGSTER_SCIM_ALERT_URLS", " mailto://a,b@x.example\n json://y.example ")
    assert Settings().alert_urls == ("mailto://a,b@x.example", "json://y.example")


@pytest.mark.parametrize(("name", "value"), [("time_zone", "Mars/Olympus"), ("public_url", "nowhere")])
def test_a_wrong_value_is_refused_with_its_name(name: str, value: str) -> None:
    with pytest.raises(ValidationError, match=name):
        Settings.model_validate({name: value})


def test_settings_can_not_be_changed(tmp_path: Path) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        make.settings(tmp_path).time_zone = "UTC"


def test_the_pepper_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    settings = make.settings(tmp_path)
    made = settings.ensure_pepper()
    assert settings.ensure_pepper() == made
    assert len(made) >= 32
    assert stat.S_IMODE((tmp_path / "pepper").stat().st_mode) == 0o600


def test_a_pepper_of_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    make.settings(tmp_path).ensure_pepper()
    assert make.settings(tmp_path, pepper="e" * 32).read_pepper() == b"e" * 32


def test_a_secret_does_not_show_when_settings_are_printed(tmp_path: Path) -> None:
    secrets = {"pepper": "e" * 32, "alert_urls": "json://u:eeee@x", "database_url": "postgresql://u:eeee@x"}
    assert "eeee" not in repr(make.settings(tmp_path, **secrets))
