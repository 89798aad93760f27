"""The habits of CONTRIBUTING.md that tools watch over: hooks, editors, the workflow of CI."""

import configparser
import re
import shutil
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import yaml

from tests.kit.checkout import ROOT, environment, text_files

HOOKS = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
# YAML reads the key `on` as a truth value.
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
PRE_COMMIT = str(Path(sys.prefix) / "bin" / "pre-commit")


def hooks():
    (repository,) = HOOKS["repos"]
    assert repository["repo"] == "local"
    return repository["hooks"]


def test_the_hooks_are_the_checks_of_make_test():
    recipe = re.search(r"^test:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)[1]
    lines = [line.strip() for line in recipe.splitlines()]
    checks = [line.replace("$(BIN)", ".venv/bin") for line in lines if line.startswith("$(BIN)")]
    *checks, tests = checks
    assert tests.startswith(".venv/bin/pytest")
    assert [hook["entry"] for hook in hooks()] == [*checks, ".ci/changelog"]
    assert {hook["language"] for hook in hooks()} == {"system"}


class Clone:
    """A clone whose hooks are installed, with a bare repository to push to."""

    def __init__(self, folder):
        self.folder = folder / "clone"
        self.folder.mkdir()
        # The network is out of reach, and the layers and types of an empty package are not looked at.
        nowhere = dict.fromkeys(("https_proxy", "http_proxy", "all_proxy"), "http://127.0.0.1:9")
        self.variables = environment(PRE_COMMIT_HOME=str(folder / "cache"), SKIP="mypy,lint-imports", **nowhere)
        for name in (".pre-commit-config.yaml", ".ci/changelog", "pyproject.toml", "CHANGELOG.md"):
            (self.folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, self.folder / name)
        (self.folder / ".venv").symlink_to(sys.prefix)
        (self.folder / ".gitignore").write_text(".venv\n")
        self.run("git", "init", "--quiet", "--bare", "--initial-branch", "main", str(folder / "origin"))
        self.run("git", "init", "--quiet", "--initial-branch", "main")
        self.run("git", "remote", "add", "origin", str(folder / "origin"))
        self.run("git", "config", "user.name", "T")
        self.run("git", "config", "user.email", "t@example.org")

    def run(self, *command, succeeds=True):
        done = subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=False)
        assert (done.returncode == 0) is succeeds, done.stdout + done.stderr
        return done.stdout + done.stderr

    def commit(self, **how):
        self.run("git", "add", "--all")
        return self.run("git", "commit", "--message", "Change a thing", **how)


def test_the_hooks_stop_what_the_checks_refuse(tmp_path):
    clone = Clone(tmp_path)
    clone.commit()
    clone.run("git", "push", "--quiet", "origin", "main")
    clone.run(PRE_COMMIT, "install")
    module = clone.folder / "flexiapi" / "module.py"
    module.parent.mkdir()
    module.write_text('"""A module."""\n\nimport os\nNAME   =  1\n')
    (module.parent / "__init__.py").write_text('"""A package."""\n')
    refused = clone.commit(succeeds=False)
    assert re.search(r"^ruff check\.+Failed$", refused, re.MULTILINE)
    assert re.search(r"^ruff format\.+Failed$", refused, re.MULTILINE)
    module.write_text('"""A module."""\n\nNAME = 1\n')
    assert "changelog fragment" not in clone.commit()
    refused = clone.run("git", "push", "origin", "main", succeeds=False)
    assert re.search(r"^changelog fragment\.+Failed$", refused, re.MULTILINE)
    fragment = clone.folder / "changelog.d" / "+a-module.added.md"
    fragment.parent.mkdir()
    fragment.write_text("A module.\n")
    clone.commit()
    clone.run("git", "push", "--quiet", "origin", "main")


def editor_settings(path):
    """The settings of .editorconfig for a file: later sections win."""
    parser = configparser.ConfigParser()
    parser.read_string("[root]\n" + (ROOT / ".editorconfig").read_text())
    settings = {}
    for pattern in parser.sections()[1:]:
        whole = str(path.relative_to(ROOT))
        if fnmatchcase(whole if "/" in pattern else path.name, pattern):
            settings |= parser[pattern]
    return settings


def test_every_file_is_as_editors_are_told():
    wrong = []
    for path in text_files():
        settings, name = editor_settings(path), path.relative_to(ROOT)
        text = path.read_bytes().decode(settings["charset"])
        if "\r" in text:
            wrong.append(f"{name}: a line does not end as `end_of_line` says")
        if settings["insert_final_newline"] == "true" and text and not text.endswith("\n"):
            wrong.append(f"{name}: no newline at the end")
        if settings["trim_trailing_whitespace"] == "true" and re.search(r"[ \t]$", text, re.MULTILINE):
            wrong.append(f"{name}: blanks at the end of a line")
        if settings["indent_style"] == "space" and re.search(r"^ *\t", text, re.MULTILINE):
            wrong.append(f"{name}: a line begins with a tab")
    assert wrong == []


def test_the_workflow_runs_what_ci_runs():
    assert set(WORKFLOW[True]) == {"push", "pull_request"}
    job = WORKFLOW["jobs"]["tests"]
    (step,) = [step for step in job["steps"] if "run" in step]
    assert step["run"] == ".ci/run"
    assert step["env"] == {"PYTHON": "python${{ matrix.python }}"}
    steps = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
    actions = [step["uses"] for step in steps if "uses" in step]
    assert actions
    assert [action for action in actions if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []
