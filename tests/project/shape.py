"""Measurements of the source tree, read from its syntax trees."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "flexiapi"
RIDDLE = re.compile(r"(?:What|Who|How|Where|Whether|Nobody)\b")
LOGGERS = {
    ("logging", "getLogger"): "logging.getLogger",
    ("structlog", "get_logger"): "structlog.get_logger",
    ("flexiapi.observing", "log"): "observing.log",
}
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Module:
    """A module of the package, and the name that it is imported by."""

    file: Path

    @cached_property
    def name(self) -> str:
        parts = self.file.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.file.read_text())

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        return tuple(ast.walk(self.tree))

    @property
    def package(self) -> str:
        return self.name if self.file.name == "__init__.py" else self.name.rpartition(".")[0]

    def imports(self) -> Iterator[tuple[str, ast.alias | None]]:
        """The modules that import statements name, with the alias in a `from` statement."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from ((alias.name, None) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                above = self.package.split(".")[: -node.level + 1 or None] if node.level else []
                module = ".".join([*above, *([node.module] if node.module else [])])
                yield from ((module, alias) for alias in node.names)


MODULES = [Module(file) for file in sorted(PACKAGE.rglob("*.py"))]


def _is_own(module: str) -> bool:
    return module.split(".", maxsplit=1)[0] == PACKAGE.name


def loose_modules() -> list[str]:
    """The modules at the top level of the package."""
    return [file.stem for file in sorted(PACKAGE.glob("*.py")) if file.stem not in ("__init__", "__main__")]


def ambiguous_class_names() -> list[str]:
    """The public names that several top-level classes of the package have."""
    places = defaultdict(list)
    for module in MODULES:
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(module.name)
    return [f"{name}: {', '.join(found)}" for name, found in sorted(places.items()) if len(found) > 1]


def renaming_imports() -> list[str]:
    """The imports that give a module, class or function of the package another name."""
    found = []
    for module in MODULES:
        for node in module.nodes:
            if isinstance(node, ast.ImportFrom) and (node.level or _is_own(node.module or "")):
                renamed = [alias for alias in node.names if alias.asname not in (None, alias.name)]
            elif isinstance(node, ast.Import):
                renamed = [alias for alias in node.names if alias.asname and _is_own(alias.name)]
            else:
                continue
            found += [f"{module.name}: {alias.name} as {alias.asname}" for alias in renamed]
    return found


def rule_functions() -> list[str]:
    """The functions of `api` modules that take parameter values, or are the `check` or `before` of a declaration."""
    found = []
    for module in _modules_of("api"):
        functions = {node.name: node for node in module.tree.body if isinstance(node, Function)}
        named = {
            name.id
            for node in module.nodes
            if isinstance(node, ast.keyword) and node.arg in ("check", "checks", "before")
            for name in ast.walk(node.value)
            if isinstance(name, ast.Name)
        }
        found += [
            f"{module.name}.{name}"
            for name, node in functions.items()
            if name in named or [argument.arg for argument in node.args.args[:2]] == ["handler", "values"]
        ]
    return found


def store_imports_of_api() -> list[str]:
    """The imports of the store in `api`."""
    store = f"{PACKAGE.name}.store"
    return [
        f"{module.name}: {name}"
        for module in _modules_of("api")
        for name, alias in module.imports()
        if _is_within(name, store) or (alias is not None and f"{name}.{alias.name}" == store)
    ]


def _modules_of(package: str) -> list[Module]:
    return [module for module in MODULES if _is_within(module.name, f"{PACKAGE.name}.{package}")]


def _is_within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


def class_sizes() -> list[tuple[int, str]]:
    """Lines and names of the classes, the biggest first."""
    return _by_size(ast.ClassDef)


def function_sizes() -> list[tuple[int, str]]:
    """Lines and names of the functions, the biggest first."""
    return _by_size(Function)


def module_sizes() -> list[tuple[int, str]]:
    """Lines and names of the modules, the biggest first."""
    return sorted(((len(module.file.read_text().splitlines()), module.name) for module in MODULES), reverse=True)


def _by_size(kind: type | object) -> list[tuple[int, str]]:
    sizes = [
        (node.end_lineno - node.lineno + 1, f"{module.name}.{node.name}")
        for module in MODULES
        for node in module.nodes
        if isinstance(node, kind)
    ]
    return sorted(sizes, reverse=True)


def riddles() -> list[str]:
    """The module docstrings that begin with a question word."""
    docstrings = {module.name: ast.get_docstring(module.tree) or "" for module in MODULES}
    return [f"{name}: {text.splitlines()[0]}" for name, text in docstrings.items() if RIDDLE.match(text)]


def logging_idioms() -> list[str]:
    """The ways in which modules come to a logger, besides the one module that configures logging."""
    ways = defaultdict(set)
    for module in MODULES:
        if module.name != f"{PACKAGE.name}.observing":
            for way in _loggers(module):
                ways[way].add(module.name)
    return [f"{way}: {', '.join(sorted(modules))}" for way, modules in sorted(ways.items())]


def _loggers(module: Module) -> Iterator[str]:
    for node in module.nodes:
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("logging.getLogger", "structlog.get_logger"):
            yield ast.unparse(node.func)
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "observing.log":
            yield "observing.log"
    for name, alias in module.imports():
        if alias is not None and (name, alias.name) in LOGGERS:
            yield LOGGERS[name, alias.name]


def import_circles() -> list[str]:
    """The groups of modules that import each other, those for type checking included."""
    names = {module.name for module in MODULES}
    graph = {module.name: set() for module in MODULES}
    for module in MODULES:
        for name, alias in module.imports():
            within = f"{name}.{alias.name}" if alias else name
            target = within if within in names else name
            if target in names and target != module.name:
                graph[module.name].add(target)
    reached = {name: _reached(graph, name) for name in names}
    circles = {frozenset(other for other in reached[name] if name in reached[other]) for name in names}
    return sorted(" <-> ".join(sorted(circle)) for circle in circles if circle)


def _reached(graph: dict[str, set[str]], start: str) -> set[str]:
    found, left = set(), [start]
    while left:
        new = graph[left.pop()] - found
        found |= new
        left += new
    return found


_NO_ACTIVATIONS = ("new", "creation.by_admin", "AccountSelection")


def activations() -> list[str]:
    """The places above the store that set `activated` to true, apart from creations of active accounts.

    Selections of accounts set nothing.
    """
    found = []
    for module in MODULES:
        if _is_within(module.name, f"{PACKAGE.name}.store"):
            continue
        for node in module.nodes:
            if isinstance(node, ast.Call) and not ast.unparse(node.func).endswith(_NO_ACTIVATIONS):
                values = [keyword.value for keyword in node.keywords if keyword.arg == "activated"]
            elif isinstance(node, ast.Dict):
                pairs = zip(node.keys, node.values, strict=True)
                values = [value for key, value in pairs if _is_constant(key, "activated")]
            else:
                continue
            found += [f"{module.name}:{value.lineno}" for value in values if _is_constant(value, True)]
    return found


def _is_constant(node: ast.AST | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value
