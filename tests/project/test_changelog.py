"""Fragments in changelog.d/: their form, towncrier's work with them, and the check that a branch has one."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.kit.checkout import ROOT, environment

FOLDER = ROOT / "changelog.d"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
RELEASE = PROJECT["tool"]["flexiapi"]["version"]
TYPES = {kind["directory"]: kind["name"] for kind in PROJECT["tool"]["towncrier"]["type"]}
MARKER = "<!-- towncrier release notes start -->\n"
TOWNCRIER = str(Path(sys.prefix) / "bin" / "towncrier")


def faults(name, text):
    """Return what is wrong with a fragment."""
    found = []
    if not re.fullmatch(rf"\+[a-z0-9]+(-[a-z0-9]+)*\.({'|'.join(TYPES)})\.md", name):
        found.append(f"the name is not +WORDS.TYPE.md with a type of {', '.join(TYPES)}")
    if not re.fullmatch(r"[A-Z`](.|\n(?!\n))*\.\n", text):
        found.append("the text is not one paragraph of sentences, from a capital letter to a full stop")
    if re.search(r"^(#|[-*+>|] |\d+\. |```|    )", text, re.MULTILINE):
        found.append("the text has a heading, a list, a quotation, a table or a block of code")
    return found


def run(folder, *command):
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


def test_every_fragment_is_a_plain_sentence_of_a_known_type():
    assert (FOLDER / "README.md").exists()
    fragments = [path for path in FOLDER.iterdir() if path.name != "README.md"]
    assert {path.name: found for path in fragments if (found := faults(path.name, path.read_text()))} == {}


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("+a-name.fixed.md", "`flexiapi check` warns of it.\nIt is a warning.\n", ""),
        ("+a-name.security.md", "A page is closed to others.\n", ""),
        ("12.fixed.md", "It is right.\n", "the name"),
        ("+a-name.bugfix.md", "It is right.\n", "the name"),
        ("+a-name.fixed.1.md", "It is right.\n", "the name"),
        ("+a_name.fixed.md", "It is right.\n", "the name"),
        ("+a-name.fixed", "It is right.\n", "the name"),
        ("+a-name.fixed.md", "it is right.\n", "one paragraph"),
        ("+a-name.fixed.md", "It is right\n", "one paragraph"),
        ("+a-name.fixed.md", "It is right.", "one paragraph"),
        ("+a-name.fixed.md", "It is right.\n\nAnd this.\n", "one paragraph"),
        ("+a-name.fixed.md", "", "one paragraph"),
        ("+a-name.fixed.md", "Changes:\n- It is right.\n", "a list"),
        ("+a-name.fixed.md", "# It is right.\n", "a heading"),
    ],
)
def test_the_form_of_a_fragment(name, text, fault):
    found = "; ".join(faults(name, text))
    assert fault in found
    assert bool(found) is bool(fault)


def test_the_types_are_those_of_keep_a_changelog_and_are_explained():
    assert list(TYPES) == ["added", "changed", "deprecated", "removed", "fixed", "security"]
    assert list(TYPES.values()) == [kind.capitalize() for kind in TYPES]
    assert re.findall(r"^\| `(\w+)` \|", (FOLDER / "README.md").read_text(), re.MULTILINE) == list(TYPES)


def test_no_version_has_two_sections():
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings
    assert len(set(headings)) == len(headings)


@pytest.fixture
def released(tmp_path):
    """A folder like the checkout that a release is made in."""
    for name in ("pyproject.toml", "CHANGELOG.md"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(FOLDER, tmp_path / "changelog.d")
    return tmp_path


def test_the_fragments_of_this_checkout_make_a_section(released):
    fragments = [path for path in FOLDER.iterdir() if path.name != "README.md"]
    done = run(released, TOWNCRIER, "build", "--draft", "--version", RELEASE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"## [{RELEASE}] - ")
    words = " ".join(done.stdout.split())
    for path in fragments:
        assert " ".join(path.read_text().split()) in words


def test_a_release_collects_the_fragments(released):
    before = (released / "CHANGELOG.md").read_text()
    for kind in TYPES:
        (released / "changelog.d" / f"+of-a-test.{kind}.md").write_text(f"This was {kind}\nby a test.\n")
    done = run(released, TOWNCRIER, "build", "--yes", "--version", "9.8.7", "--date", "2030-01-02")
    assert done.returncode == 0, done.stdout + done.stderr
    assert [path.name for path in (released / "changelog.d").iterdir()] == ["README.md"]
    header, section, old = re.split(
        r"(## \[9\.8\.7\] - 2030-01-02\n.*?)(?=^## )",
        (released / "CHANGELOG.md").read_text(),
        flags=re.DOTALL | re.MULTILINE,
    )
    assert header.endswith(MARKER + "\n")
    assert before == header + old
    assert re.findall(r"^### (\w+)\n", section, re.MULTILINE) == list(TYPES.values())
    for kind in TYPES:
        assert f"- This was {kind}\n  by a test.\n" in section


class Repository:
    """A git repository with the check and a branch that leaves `main`."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("pyproject.toml", "CHANGELOG.md", ".ci/changelog"):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        (folder / ".venv").symlink_to(sys.prefix)
        (folder / ".gitignore").write_text(".venv\n")
        self.git("init", "--quiet", "--initial-branch", "main")
        self.commit("Begin", "flexiapi/app.py", "plugins/sms-x/sms_x.py", "changelog.d/README.md")
        self.git("switch", "--quiet", "--create", "work")

    def git(self, *arguments):
        done = run(self.folder, "git", "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def commit(self, message, *names):
        for name in names:
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (self.folder / name).open("a") as file:
                file.write("Changed.\n")
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def check(self, *arguments):
        return run(self.folder, ".ci/changelog", *arguments)


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path)


@pytest.mark.parametrize(
    "changed", ["flexiapi/app.py", "flexiapi/new.py", "plugins/sms-x/sms_x.py", "templates/a.txt", "config/nginx.conf"]
)
def test_a_change_of_what_is_installed_needs_a_fragment(repository, changed):
    repository.commit("Change a thing", changed)
    done = repository.check()
    assert done.returncode == 1
    assert re.search(r"^  [0-9a-f]+ Change a thing$", done.stderr, re.MULTILINE)
    assert "changelog.d/README.md" in done.stderr
    repository.commit("Tell of it", "changelog.d/+a-thing.changed.md")
    assert repository.check().returncode == 0


def test_a_fragment_of_an_unknown_type_is_none(repository):
    repository.commit("Change a thing", "flexiapi/app.py", "changelog.d/+a-thing.bugfix.md")
    done = repository.check()
    assert done.returncode == 1
    assert "+a-thing.bugfix.md" in done.stderr


def test_a_fragment_of_the_main_branch_is_not_one_of_this(repository):
    repository.git("switch", "--quiet", "main")
    repository.commit("Change another", "flexiapi/app.py", "changelog.d/+another.changed.md")
    repository.git("switch", "--quiet", "--create", "later")
    repository.commit("Change a thing", "flexiapi/app.py")
    assert repository.check().returncode == 1


@pytest.mark.parametrize("changed", ["docs/operations.md", "tests/test_a.py", "plugins/sms-x/tests/test_a.py"])
def test_other_changes_need_none(repository, changed):
    repository.commit("Change a page or a test", changed)
    done = repository.check()
    assert done.returncode == 0
    assert "No commit since main needs" in done.stdout


def test_a_commit_without_effect_for_users_says_so(repository):
    repository.commit("Move a thing\n\nIt stands better there.\n\nChangelog: none", "flexiapi/app.py")
    assert repository.check().returncode == 0
    repository.commit("Change a thing", "flexiapi/app.py")
    done = repository.check()
    assert done.returncode == 1
    assert "Change a thing" in done.stderr
    assert "Move a thing" not in done.stderr


def test_the_branch_to_compare_with(repository):
    repository.commit("Change a thing", "flexiapi/app.py")
    repository.git("branch", "done")
    repository.commit("Write a page", "docs/a.md")
    assert repository.check("done").returncode == 0
    assert repository.check("main").returncode == 1
    missing = repository.check("gone")
    assert (missing.returncode, missing.stderr) == (2, "There is no branch or commit gone.\n")
    repository.git("branch", "--delete", "--force", "main")
    none = repository.check()
    assert (none.returncode, none.stderr.partition(".")[0]) == (2, "There is no branch main to compare with")
    repository.git("update-ref", "refs/remotes/origin/main", "done")
    assert repository.check().returncode == 0
