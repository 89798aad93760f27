"""A version for each build, so that `pip install --upgrade` of a newer checkout upgrades."""

import os
import re
import shutil
import subprocess
import sysconfig
import tarfile
import venv

import pytest

from tests.kit.checkout import ROOT, environment

pytestmark = pytest.mark.long

RELEASE = re.search(r'^version = "(.*)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)[1]
ABOUT = f"""\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"
[tool.flexiapi]
version = "{RELEASE}"
[project]
name = "NAME"
dynamic = ["version"]
[tool.setuptools]
PACKAGES
"""


class Clone:
    """A small repository with the setup.py of this one, and an environment of its own that builds it."""

    def __init__(self, folder, environment_folder=None):
        self.folder = folder
        self.environment = environment_folder

    @classmethod
    def made(cls, folder):
        clone = cls(folder / "clone", folder / "environment")
        for name, about in (
            ("", ("flexiapi", 'packages = ["flexiapi"]')),
            ("plugins/x", ("flexiapi-x", "packages = []")),
        ):
            project = clone.folder / name
            project.mkdir(parents=True)
            text = ABOUT.replace("NAME", about[0]).replace("PACKAGES", about[1])
            (project / "pyproject.toml").write_text(text)
        (clone.folder / "flexiapi").mkdir()
        (clone.folder / "flexiapi" / "plugin").mkdir()
        (clone.folder / "flexiapi" / "__init__.py").touch()
        shutil.copy(ROOT / "setup.py", clone.folder)
        (clone.folder / "plugins" / "x" / "setup.py").symlink_to("../../setup.py")
        venv.create(clone.environment, with_pip=False)
        packages = next(clone.environment.glob("lib/python*/site-packages"))
        (packages / "tools.pth").write_text(sysconfig.get_path("purelib") + "\n")
        clone.git("init", "--quiet", "--initial-branch", "main")
        for number in range(3):
            clone.commit(str(number))
        return clone

    def git(self, *command):
        identity = ["-c", "user.name=T", "-c", "user.email=t@example.org", "-c", "protocol.file.allow=always"]
        subprocess.run(["git", *identity, *command], cwd=self.folder, env=environment(), check=True)

    def commit(self, text):
        (self.folder / "file").write_text(text)
        self.git("add", "file", "setup.py", "pyproject.toml", "flexiapi", "plugins")
        self.git("commit", "--quiet", "--message", text)

    def run(self, *arguments, cwd=None):
        command = [str(self.environment / "bin" / "python"), *arguments]
        done = subprocess.run(
            command, cwd=cwd or self.folder, env=environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def version(self, folder="."):
        return self.run("setup.py", "--version", cwd=self.folder / folder).splitlines()[-1]

    def pip(self, *arguments):
        return self.run("-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)

    def install(self, number):
        """Pretend that a build is installed."""
        packages = next(self.environment.glob("lib/python*/site-packages"))
        information = packages / f"flexiapi-{RELEASE}.post{number}.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(f"Name: flexiapi\nVersion: {RELEASE}.post{number}\n")


@pytest.fixture
def clone(tmp_path):
    return Clone.made(tmp_path)


def test_each_commit_has_its_own_version_with_its_plugins(clone):
    assert clone.version() == clone.version("plugins/x") == f"{RELEASE}.post3"
    clone.commit("more")
    assert clone.version() == clone.version("plugins/x") == f"{RELEASE}.post4"


def test_a_newer_checkout_upgrades(clone):
    def upgrade():
        wheels = str(clone.folder / "dist")
        clone.pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", wheels, ".", "./plugins/x")
        clone.pip("install", "--upgrade", "--no-index", "--find-links", wheels, "flexiapi", "flexiapi-x")
        return {
            path.name.partition("-")[2].removesuffix(".dist-info")
            for path in clone.environment.glob("lib/python*/site-packages/flexiapi*.dist-info")
        }

    assert upgrade() == {f"{RELEASE}.post3"}
    clone.commit("more")
    assert upgrade() == {f"{RELEASE}.post4"}


def test_a_shallow_clone_is_never_lower_than_what_is_installed(clone, tmp_path):
    clone.git("clone", "--quiet", "--depth", "1", f"file://{clone.folder}", str(tmp_path / "shallow"))
    shallow = Clone(tmp_path / "shallow", clone.environment)
    assert shallow.version() == f"{RELEASE}.post1"
    clone.install(417)
    assert shallow.version() == f"{RELEASE}.post418"
    # A whole clone knows better.
    assert clone.version() == f"{RELEASE}.post3"


def test_without_git_a_written_file_has_the_number(clone):
    shutil.rmtree(clone.folder / ".git")
    clone.install(20)
    assert clone.version() == f"{RELEASE}.post21"
    (clone.folder / "BUILD").write_text("417\n")
    assert clone.version() == clone.version("plugins/x") == f"{RELEASE}.post417"


def test_source_distributions_keep_the_version(clone, tmp_path):
    for folder, name in ((".", "flexiapi"), ("plugins/x", "flexiapi_x")):
        clone.run("setup.py", "--quiet", "sdist", "--dist-dir", str(tmp_path / "dist"), cwd=clone.folder / folder)
        with tarfile.open(tmp_path / "dist" / f"{name}-{RELEASE}.post3.tar.gz") as archive:
            archive.extractall(tmp_path / "unpacked", filter="data")
        unpacked = Clone(tmp_path / "unpacked" / f"{name}-{RELEASE}.post3", clone.environment)
        assert unpacked.version() == f"{RELEASE}.post3"


def test_commits_of_another_repository_are_not_counted(clone, tmp_path):
    inner = tmp_path / "other" / "flexiapi"
    shutil.copytree(clone.folder, inner, ignore=shutil.ignore_patterns(".git"), symlinks=True)
    subprocess.run(["git", "init", "--quiet"], cwd=inner.parent, env=environment(), check=True)
    assert Clone(inner, clone.environment).version() == f"{RELEASE}.post1"


@pytest.mark.skipif(os.geteuid() != 0, reason="root builds what another user cloned")
def test_root_counts_in_the_clone_of_another_user(clone):
    for path in (clone.folder, clone.folder / ".git"):
        os.chown(path, 65534, 65534)
    assert clone.version() == f"{RELEASE}.post3"


def test_every_distribution_of_the_checkout_is_versioned_so():
    for file in ROOT.glob("plugins/*/pyproject.toml"):
        assert (file.parent / "setup.py").resolve() == ROOT / "setup.py"
        assert 'dynamic = ["version"]' in file.read_text()
