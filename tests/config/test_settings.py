"""Settings: where they come from, and what is said when one is wrong."""

from pathlib import Path

import pytest

from config import settings
from config.settings import Provider, SettingsError


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_set_is_enough() -> None:
    loaded = settings.load()
    assert loaded.database == loaded.data_dir / "nextreel.db"
    assert loaded.provider is Provider.AUTO


def test_somebody_without_a_home_is_told_which_setting_to_make(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "user_data_path", lambda *_, **__: Path("~nobody-of-this-name/nextreel"))
    with pytest.raises(SettingsError, match="NEXTREEL_DATA_DIR"):
        settings.load()


def test_a_variable_wins_over_dotenv_and_dotenv_over_toml(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nextreel.toml").write_text("slate_size = 3\ncontext_minutes = 7\ndiversity = 0.9\n")
    (tmp_path / ".env").write_text("NEXTREEL_SLATE_SIZE=4\nNEXTREEL_CONTEXT_MINUTES=8\nSOMEBODY_ELSES=1\n")
    monkeypatch.setenv("NEXTREEL_SLATE_SIZE", "6")
    loaded = settings.load()
    assert (loaded.slate_size, loaded.context_minutes, loaded.diversity) == (6, 8, 0.9)


def test_an_empty_variable_means_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTREEL_BUNDLE", "")
    assert settings.load().bundle is None


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("NEXTREEL_SLATE_SIZE", "many", "a valid integer"),
        ("NEXTREEL_SLATE_SIZE", "99", "less than or equal to 10"),
        ("NEXTREEL_KEEP_SLATES_DAYS", "1000000", "less than or equal to 36500"),
        ("NEXTREEL_KEEP_INACTIVE_DAYS", "1000000", "less than or equal to 36500"),
        ("NEXTREEL_PROVIDER", "abacus", "'auto', 'cpu' or 'cuda'"),
        ("NEXTREEL_TIME_ZONE", "Mars/Olympus", "IANA time zone"),
        ("NEXTREEL_BUNDLE", "~nobody-of-this-name/bundle", "somebody's home"),
        ("NEXTREEL_SLATESIZE", "5", "did you mean NEXTREEL_SLATE_SIZE?"),
        ("NEXTREEL_QUITE_OTHER", "5", "There is no setting NEXTREEL_QUITE_OTHER."),
    ],
)
def test_a_wrong_setting_is_named_in_one_sentence(
    variable: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert variable in str(caught.value)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_wrong_line_in_the_toml_is_said(tmp_path: Path) -> None:
    (tmp_path / "nextreel.toml").write_text("slate_size = = 3\n")
    with pytest.raises(SettingsError, match=r"nextreel\.toml.*line 1"):
        settings.load()


@pytest.mark.parametrize("name", ["nextreel.toml", ".env"])
def test_a_file_that_is_no_text_is_named(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes("NEXTREEL_BUNDLE = 'Amélie'\n".encode("latin-1"))
    with pytest.raises(SettingsError) as caught:
        settings.load()
    assert str(caught.value) == f"{name} is not a text file in UTF-8."


def test_an_unknown_name_in_the_toml_is_said(tmp_path: Path) -> None:
    (tmp_path / "nextreel.toml").write_text("provder = 'cpu'\n")
    with pytest.raises(SettingsError, match="did you mean NEXTREEL_PROVIDER"):
        settings.load()


def test_the_database_password_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEXTREEL_DATABASE_URL", "postgresql+asyncpg://me:hunter2@db/nextreel")
    assert "hunter2" not in repr(settings.load())


def test_every_setting_has_a_sentence() -> None:
    for name, field in settings.Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
