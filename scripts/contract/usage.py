"""Which lines of src use an operation, a parameter, a schema, a field or an enum value of the contract.

In contracts/, the Python code tells: imports of generated modules and classes, and the attributes and
keywords of their instances. The emulator writes JSON by hand, so there the strings tell: paths, keys, values.
A dictionary with all required keys of exactly one schema counts as that schema. Modules whose names end with
another line, such as v1_8, belong to that one.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from attrs import define, field, frozen
from openapi_python_client.strings import ClassName, PythonIdentifier

from contract import lines
from contract.changes import operations_of, parameters_of
from contract.lines import OLDEST, ContractLine
from contract.names import Operation, path_shape
from contract.shapes import Schema, reference, without_null

FACADE = "src/aignostics_async"
EMULATOR = "src/aignostics_async/emulator"
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

Key = tuple[str, ...]


@frozen(order=True)
class Use:
    """A line of src: its file relative to the root, its number, and the function that it is in."""

    file: str
    line: int
    function: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}"


@define
class _Names:
    """The contract in the names of the generated package."""

    # (method, path) by module, and its parameters in the order of the generated signature
    operations: dict[str, Operation]
    parameters: dict[Operation, list[tuple[str, str]]]
    # component by class; wire name and schema of its fields by attribute
    schemas: dict[str, str]
    fields: dict[str, dict[str, tuple[str, Schema]]]


def uses(root: Path, contract: Mapping[str, Any], line: ContractLine = OLDEST) -> dict[Key, list[Use]]:
    """Return the lines of code that use each part of the contract."""
    found: dict[Key, set[Use]] = {}
    names = _names(contract, modules(root, contract, line))
    for path in own_modules(root, line):
        file = path.relative_to(root).as_posix()
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        places = _functions(tree)
        entries: Iterable[tuple[Key, ast.AST]]
        if file.startswith(EMULATOR):
            entries = [*_emulator(tree, contract), *_server_paths(tree, contract)]
        elif imports_package(tree, line.package):
            entries = [*_Bridge(names, line.package, tree).entries(), *_values(tree)]
        else:
            entries = [*_values(tree), *_sort_orders(tree, contract), *_server_paths(tree, contract)]
        for key, node in entries:
            number = getattr(node, "lineno", 0)
            found.setdefault(key, set()).add(Use(file, number, places.get(number, "module level")))
    return {key: sorted(where) for key, where in found.items()}


def own_modules(root: Path, line: ContractLine) -> list[Path]:
    """Return the modules of src that speak this line of the contract, or any of them."""
    others = {other.marker for other in lines.all_lines(root) if other != line}

    def is_own(path: Path) -> bool:
        return not any(part.endswith(marker) for part in path.with_suffix("").parts for marker in others)

    return sorted(path for path in (root / FACADE).rglob("*.py") if is_own(path.relative_to(root)))


def is_of(module: str | None, package: str) -> bool:
    """Whether a module is the package or below it."""
    return module == package or (module or "").startswith(f"{package}.")


def imports_package(tree: ast.AST, package: str) -> bool:
    """Whether a module imports from a generated package."""
    return any(isinstance(node, ast.ImportFrom) and is_of(node.module, package) for node in ast.walk(tree))


def modules(root: Path, contract: Mapping[str, Any], line: ContractLine = OLDEST) -> dict[Operation, str]:
    """Return the committed module of each operation, by the requests that the modules send."""
    by_shape = {(method, path_shape(path)): (method, path) for method, path in operations_of(contract)}
    found = {}
    for file in sorted((root / "generated" / line.package / "api").glob("*/*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        made = {text for text, _ in _texts(tree)}
        for shape, operation in by_shape.items():
            if shape[0] in made and any(path_shape(text) == shape[1] for text in made):
                found[operation] = file.stem
    return found


def functions(path: Path) -> dict[int, str]:
    """Return the name of the function around each line of a Python file."""
    return _functions(ast.parse(path.read_text(encoding="utf-8")))


def _functions(tree: ast.AST, prefix: str = "") -> dict[int, str]:
    found: dict[int, str] = {}
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{prefix}{node.name}"
            found |= dict.fromkeys(range(node.lineno, (node.end_lineno or node.lineno) + 1), name)
            found |= _functions(node, f"{name}.") if isinstance(node, ast.ClassDef) else {}
        else:
            found |= _functions(node, prefix)
    return found


def _names(contract: Mapping[str, Any], named: Mapping[Operation, str]) -> _Names:
    schemas = contract.get("components", {}).get("schemas", {})
    parameters = {}
    for method, path in named:
        wire = [*parameters_of(contract, (method, path))]
        # The generated functions take the parameters of the path first.
        wire.sort(key=lambda each: each[0] != "path")
        parameters[method, path] = [(str(PythonIdentifier(name, "")), name) for _, name in wire]
    return _Names(
        operations={module: operation for operation, module in named.items()},
        parameters=parameters,
        schemas={str(ClassName(name, "")): name for name in schemas},
        fields={
            name: {
                str(PythonIdentifier(wire, "")): (wire, inner)
                for wire, inner in schema.get("properties", {}).items()
            }
            for name, schema in schemas.items()
        },
    )


@define
class _Bridge:
    """A file that imports the generated package."""

    names: _Names
    package: str
    tree: ast.Module
    # What the names in the file refer to: modules of operations, generated classes.
    operations: dict[str, Operation] = field(factory=dict)
    classes: dict[str, str] = field(factory=dict)

    def entries(self) -> Iterator[tuple[Key, ast.AST]]:
        yield from self.imports()
        helpers = {node.name: node for node in ast.walk(self.tree) if isinstance(node, ast.FunctionDef)}
        for function in ast.walk(self.tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                yield from self.used(function, self.types(function), helpers)

    def imports(self) -> Iterator[tuple[Key, ast.AST]]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.ImportFrom) and is_of(node.module, self.package):
                for alias in node.names:
                    name = alias.asname or alias.name
                    if alias.name in self.names.operations:
                        self.operations[name] = self.names.operations[alias.name]
                    elif alias.name in self.names.schemas:
                        self.classes[name] = self.names.schemas[alias.name]
                        yield ("schema", self.classes[name]), alias

    def types(self, function: ast.AST) -> dict[str, str]:
        """Return the component that each local name holds one or several of."""
        known: dict[str, str] = {}
        if not isinstance(function, ast.Lambda):
            arguments = (
                function.args if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef) else None
            )
            for argument in [*arguments.args, *arguments.kwonlyargs] if arguments else ():
                if isinstance(argument.annotation, ast.Name) and argument.annotation.id in self.classes:
                    known[argument.arg] = self.classes[argument.annotation.id]
        for node in ast.walk(function):
            if isinstance(node, ast.Assign):
                self.bind(node.targets[0], node.value, known)
            elif isinstance(node, ast.For | ast.AsyncFor):
                self.bind(node.target, node.iter, known)
        return known

    def bind(self, target: ast.AST, value: ast.AST, known: dict[str, str]) -> None:
        if isinstance(target, ast.Name) and (kind := self.type(value, known)):
            known[target.id] = kind

    def type(self, node: ast.AST, known: dict[str, str]) -> str | None:
        """Return the component that an expression is one or several of."""
        if isinstance(node, ast.Name):
            return known.get(node.id)
        if isinstance(node, ast.Call):
            maker = node.func.value if isinstance(node.func, ast.Attribute) else node.func
            return self.classes.get(maker.id) if isinstance(maker, ast.Name) else None
        if isinstance(node, ast.BoolOp):
            return self.type(node.values[0], known)
        if isinstance(node, ast.Attribute) and (owner := self.type(node.value, known)):
            _, schema = self.names.fields.get(owner, {}).get(node.attr, ("", {}))
            return _component(schema)
        return None

    def used(
        self, node: ast.AST, known: dict[str, str], helpers: Mapping[str, ast.FunctionDef]
    ) -> Iterator[tuple[Key, ast.AST]]:
        if isinstance(node, _COMPREHENSIONS):
            known = dict(known)  # a comprehension has its own scope
            for loop in node.generators:
                self.bind(loop.target, loop.iter, known)
        if isinstance(node, ast.Name) and node.id in self.operations:
            yield ("operation", *self.operations[node.id]), node
        elif isinstance(node, ast.Name) and node.id in self.classes:
            yield ("schema", self.classes[node.id]), node
        elif isinstance(node, ast.Attribute) and (owner := self.type(node.value, known)):
            yield from self.field(owner, node.attr, node)
        elif isinstance(node, ast.Call):
            yield from self.call(node, helpers)
        for child in ast.iter_child_nodes(node):
            yield from self.used(child, known, helpers)

    def field(self, owner: str, attribute: str, node: ast.AST) -> Iterator[tuple[Key, ast.AST]]:
        if attribute in self.names.fields.get(owner, {}):
            yield ("field", owner, self.names.fields[owner][attribute][0]), node

    def call(self, node: ast.Call, helpers: Mapping[str, ast.FunctionDef]) -> Iterator[tuple[Key, ast.AST]]:
        if isinstance(node.func, ast.Name) and node.func.id in self.classes:
            for keyword in node.keywords:
                yield from self.field(self.classes[node.func.id], keyword.arg or "", keyword)
        elif isinstance(node.func, ast.Attribute) and isinstance(node.func.value, ast.Name):
            operation = self.operations.get(node.func.value.id)
            if operation is not None:
                yield from self.arguments(operation, node, helpers)

    def arguments(
        self, operation: Operation, call: ast.Call, helpers: Mapping[str, ast.FunctionDef]
    ) -> Iterator[tuple[Key, ast.AST]]:
        signature = self.names.parameters[operation]
        wire = dict(signature)
        for argument, (_, name) in zip(call.args, signature, strict=False):
            yield ("parameter", *operation, name), argument
        for keyword in call.keywords:
            if keyword.arg in wire:
                yield ("parameter", *operation, wire[keyword.arg]), keyword
            elif keyword.arg is None and isinstance(keyword.value, ast.Call):
                # **helper(...): the keys of the dictionary that the helper returns
                maker = keyword.value.func
                helper = helpers.get(maker.id) if isinstance(maker, ast.Name) else None
                for text, node in _texts(helper) if helper else ():
                    if text in wire:
                        yield ("parameter", *operation, wire[text]), node


def _component(schema: Schema) -> str | None:
    """Return the component that a field is, or that it is a list of."""
    options, _ = without_null(schema)
    if len(options) != 1:
        return None
    return reference(options[0]) or (_component(options[0]["items"]) if "items" in options[0] else None)


def _texts(tree: ast.AST) -> Iterator[tuple[str, ast.Constant]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node


def _values(tree: ast.AST) -> Iterator[tuple[Key, ast.AST]]:
    """Yield strings in capitals, which is the contract's spelling of enum values."""
    for text, node in _texts(tree):
        if text.isupper():
            yield ("value", text), node


def _sort_orders(tree: ast.AST, contract: Mapping[str, Any]) -> Iterator[tuple[Key, ast.AST]]:
    """Yield sort orders such as "-triggered_at", which name a field of a response."""
    for text, node in _texts(tree):
        if text[:1] in ("+", "-"):
            for owner in _owners(contract, text[1:]):
                yield ("field", owner, text[1:]), node


def _server_paths(tree: ast.AST, contract: Mapping[str, Any]) -> Iterator[tuple[Key, ast.AST]]:
    """Yield strings that are the path of a server, alone or at the end of a base URL."""
    paths = {urlsplit(server.get("url", "")).path.rstrip("/") for server in contract.get("servers", ())} - {
        ""
    }
    for text, node in _texts(tree):
        if text in paths:
            yield ("servers",), node


def _emulator(tree: ast.AST, contract: Mapping[str, Any]) -> Iterator[tuple[Key, ast.AST]]:
    schemas = contract.get("components", {}).get("schemas", {})
    names = {each: parameters_of(contract, each) for each in operations_of(contract)}
    told: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Dict) and (name := _written_out(node, schemas)):
            yield ("schema", name), node
            for key in node.keys:
                told.add(id(key))
                yield ("field", name, str(getattr(key, "value", ""))), key or node
    for text, node in _texts(tree):
        for method, path in names:
            if path == text:
                yield ("operation", method, text), node
        if id(node) not in told:
            for meaning in _meanings(text, contract, names):
                yield meaning, node


def _meanings(
    text: str, contract: Mapping[str, Any], names: Mapping[Operation, Iterable[tuple[str, str]]]
) -> Iterator[Key]:
    """Yield everything that a string on its own can refer to; `names` are places and names of parameters."""
    yield ("value", text)
    for operation, parameters in names.items():
        if any(name == text for _, name in parameters):
            yield ("parameter", *operation, text)
    for owner in _owners(contract, text):
        yield ("field", owner, text)


def _owners(contract: Mapping[str, Any], name: str) -> Iterator[str]:
    for owner, schema in contract.get("components", {}).get("schemas", {}).items():
        if name in schema.get("properties", {}):
            yield owner


def _written_out(node: ast.Dict, schemas: Mapping[str, Schema]) -> str | None:
    """Return the component that a dictionary literal represents, if it is exactly one."""
    keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
    fits = [
        name
        for name, schema in schemas.items()
        if len(keys) > 1
        and keys <= schema.get("properties", {}).keys()
        and keys >= set(schema.get("required", ()))
    ]
    return fits[0] if len(fits) == 1 else None
