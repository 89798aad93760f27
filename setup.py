"""Installation of `templates/` and `config/`, outside the package, as `share/flexiapi/`. The rest: pyproject.toml."""

from pathlib import Path

from setuptools import setup


def shared(folder: str) -> list[tuple[str, list[str]]]:
    directories = [Path(folder), *(path for path in Path(folder).rglob("*") if path.is_dir())]
    return [
        (f"share/flexiapi/{directory}", [str(path) for path in sorted(directory.iterdir()) if path.is_file()])
        for directory in directories
    ]


setup(data_files=shared("templates") + shared("config"))
