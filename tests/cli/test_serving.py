"""The commands that print documents: settings and openapi."""

import json

from click.testing import CliRunner

from flexiapi.cli import main
from flexiapi.settings.reference import document


def test_settings(tmp_path):
    assert CliRunner().invoke(main, ["settings"]).stdout == document()
    written = tmp_path / "new.toml"
    assert CliRunner().invoke(main, ["settings", "--output", str(written)]).exit_code == 0
    assert written.read_text() == document()


def test_settings_overwrite_nothing(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text("# mine")
    done = CliRunner().invoke(main, ["settings", "--output", str(mine)])
    assert (done.exit_code, mine.read_text()) == (1, "# mine")
    done = CliRunner().invoke(main, ["settings", "--output", str(tmp_path / "gone" / "new.toml")])
    assert "cannot be written" in done.stderr


def test_openapi(run):
    done = run("openapi", env={"APP_URL": "https://accounts.example.org"})
    described = json.loads(done.stdout)
    assert described["openapi"].startswith("3.1")
    assert described["servers"][0]["url"].startswith("https://accounts.example.org")
    assert "/api/accounts/{id}" in json.dumps(described["paths"]) or "/accounts/{id}" in described["paths"]
