"""The scripts that measure and check a checkout: each planted fault is found, a clean tree passes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest
from tree import imports, layers, mutation, passages, surface, typenames, words
from tree.graph import circles, longest_chain
from tree.sentences import Sentence, sentences
from tree.source import read_modules

pytestmark = pytest.mark.process

_CLEAN = {
    "pyproject.toml": """\
        [[tool.importlinter.contracts]]
        type = "layers"
        containers = ["shop"]
        layers = ["cli | web", "orders", "core"]
        """,
    "scripts/retired_words.toml": """\
        [words]
        max_frob = { say = "max_size", scope = "identifiers" }
        "blarg|blargs" = { say = "gadget", unless = ["blarg clock"], allowed = ["tests"] }
        "by and by" = { say = "later", scope = "prose" }
        """,
    "src/shop/__init__.py": '''\
        """A shop."""

        from typing import TYPE_CHECKING

        if TYPE_CHECKING:
            from .orders._order import Order as Order
        ''',
    "src/shop/core.py": """\
        _LIMIT = 3

        def limit() -> int:
            return _LIMIT
        """,
    "src/shop/orders/__init__.py": "",
    "src/shop/orders/_price.py": """\
        from ..core import limit

        _FREE = 0

        def price(count: int, is_member: bool) -> int:
            '''Return the price in cents.'''
            if not is_member and count > limit():
                return count * 100
            return _FREE
        """,
    "src/shop/orders/_order.py": """\
        from __future__ import annotations

        from ._price import _FREE, price


        class Order:
            '''An order of some goods.'''

            def __init__(self) -> None:
                self.receipt = Receipt()

            async def send(self) -> Parcel:
                '''Send it.'''
                await self._pack()
                return Parcel(price(_FREE, True))

            async def _pack(self) -> None: ...


        class Parcel:
            def weigh(self) -> int: ...


        class Receipt:
            def print(self) -> str: ...


        class Unreachable: ...
        """,
    "src/shop/cli.py": "from . import Order\nfrom .orders import _price\n",
    "src/shop/web.py": "from .orders._order import Order\n",
    "tests/test_shop.py": """\
        from shop.orders._price import price

        def test_price():  # a blarg
            assert price(5, is_member=False) == 500
        """,
    "README.md": "# Shop\n\nThe blarg clock ticks.\n",
}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, text in _CLEAN.items():
        write(tmp_path, name, text)
    return tmp_path


def write(tree: Path, name: str, text: str) -> None:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")


def append(tree: Path, name: str, text: str) -> int:
    """Add text to the end of a file; return the number of its first line."""
    path = tree / name
    before = path.read_text(encoding="utf-8")
    path.write_text(before + dedent(text), encoding="utf-8")
    return len(before.splitlines()) + 1


def script(root: Path, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(root / "scripts" / name), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)


# Names and words


def test_a_clean_tree_passes(root: Path, tree: Path) -> None:
    checked = script(root, "check_names.py", tree)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("src/shop/core.py", "class Order: ...", "Order is defined in"),
        ("src/shop/core.py", "class Outer:\n    class Order: ...", "Order is defined in"),
        ("src/shop/core.py", "Order = dict[str, int]", "Order is defined in"),
        ("src/shop/core.py", "Order = NewType('Order', int)", "Order is defined in"),
        ("src/shop/orders/_price.py", "from ..core import _LIMIT", "_LIMIT is private to shop;"),
        ("src/shop/core.py", "from .orders._price import _FREE", "_FREE is private to shop.orders;"),
        ("src/shop/core.py", "def f(_max_frob_s): ...", "retired: '_max_frob_s'; say max_size"),
        ("src/shop/core.py", "class MaxFrob: ...", "retired: 'MaxFrob'; say max_size"),
        ("src/shop/core.py", "x = f'to {max_frob} is not prose'", "retired: 'max_frob'; say max_size"),
        ("src/shop/core.py", "# see `max_frob`", "retired: 'max_frob'; say max_size"),
        ("src/shop/core.py", "def f():\n    '''Turn Blargs.'''", "retired: 'Blargs'; say gadget"),
        ("src/shop/core.py", "raise ValueError('no blarg is there')", "retired: 'blarg'; say gadget"),
        ("src/shop/core.py", "# It ends by and\n# by.", "retired: 'by and # by'; say later"),
        ("tests/test_shop.py", "# by and by", "retired: 'by and by'; say later"),
        ("scripts/tool.py", "blarg = 1", "retired: 'blarg'; say gadget"),
        ("README.md", "By and\nby the `max_frob` was dropped.", "retired: 'By and by'; say later"),
        ("README.md", "The old MAX_FROB.", "retired: 'MAX_FROB'; say max_size"),
        ("Makefile", "all:  ## Make a blarg", "retired: 'blarg'; say gadget"),
    ],
)
def test_a_planted_fault_is_named_with_its_place(
    root: Path, tree: Path, file: str, text: str, fault: str
) -> None:
    (tree / file).parent.mkdir(exist_ok=True)
    (tree / file).touch()
    first = append(tree, file, text)
    checked = script(root, "check_names.py", tree)
    assert checked.returncode == 1
    places = [line for line in checked.stdout.splitlines() if fault in line]
    assert len(places) == 1, checked.stdout
    # A definition in `core` comes before the one in `orders`, which is then the one that is named.
    if "is defined in" in fault:
        assert file in places[0]
    else:
        assert places[0].startswith(tuple(f"{file}:{first + number}: " for number in range(2)))


def test_a_file_name_is_an_identifier(root: Path, tree: Path) -> None:
    write(tree, "src/shop/_blarg.py", "")
    assert "src/shop/_blarg.py:1: retired: '_blarg'" in script(root, "check_names.py", tree).stdout


def test_the_changelog_may_speak_of_old_words(root: Path, tree: Path) -> None:
    write(tree, "CHANGELOG.md", "A blarg was there by and by; `max_frob` is `max_size`.\n")
    assert script(root, "check_names.py", tree).returncode == 0


def test_data_is_not_prose(tree: Path) -> None:
    entries = words.read_words(tree / "scripts/retired_words.toml")
    assert not list(words.uses(Path("src/a.py"), "x = {'blarg': 1, 'max_frob': 2}\n", entries))


def test_one_name_in_two_branches_is_one_definition(tree: Path) -> None:
    append(
        tree, "src/shop/core.py", "if 1:\n    class Twin: ...\nelse:\n    class Twin: ...\nA = TypeVar('A')\n"
    )
    append(tree, "src/shop/web.py", "A = TypeVar('A')\nParcel = _order.Parcel\n")
    assert not typenames.ambiguous(read_modules(tree))


def test_the_words_of_this_tree_can_be_read(root: Path) -> None:
    assert words.read_words(root / "scripts/retired_words.toml")


# Figures


def test_the_table_has_a_column_for_each_tree(root: Path, tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    for name, text in _CLEAN.items():
        write(other, name, text)
    append(other, "src/shop/core.py", "class Order: ...\n")
    shown = script(root, "tree_figures.py", tree, other, "--test-seconds", 2.5, 3)
    rows = {line[:33].strip(): line[33:].split() for line in shown.stdout.splitlines()}
    assert rows["type names with two meanings"] == ["0", "1"], shown.stdout + shown.stderr
    assert rows["import circles"] == rows["upward imports"] == rows["repeated passages"] == ["0", "0"]
    assert rows["test seconds"] == ["2.5", "3"]


@pytest.mark.parametrize(
    ("file", "text", "label", "detail"),
    [
        (
            "src/shop/core.py",
            "class Order: ...",
            "type names with two meanings",
            "Order: src/shop/core.py:5, ",
        ),
        ("src/shop/core.py", "def f():\n    from . import orders", "upward imports", "core -> shop.orders"),
        ("src/shop/cli.py", "from . import web", "upward imports", "shop.cli -> shop.web"),
        ("src/shop/orders/_price.py", "from . import _order", "upward imports", "shop.orders._"),
        ("src/shop/orders/_price.py", "from . import _order", "import circles", "shop.orders._order shop"),
        (
            "src/shop/core.py",
            "if TYPE_CHECKING:\n    from .orders._price import price",
            "import circles",
            "shop.core shop.orders._price",
        ),
        ("src/shop/orders/_price.py", "from .. import Order", "import circles", "shop.orders._order shop"),
    ],
)
def test_a_figure_names_what_it_counts(
    root: Path, tree: Path, file: str, text: str, label: str, detail: str
) -> None:
    assert figure(root, tree, label) == (0, [])
    append(tree, file, text)
    value, details = figure(root, tree, label)
    assert value == 1
    assert detail in details[0]


def figure(root: Path, tree: Path, label: str) -> tuple[int, list[str]]:
    (shown,) = json.loads(script(root, "tree_figures.py", tree, "--json").stdout)
    (found,) = (each for each in shown["figures"] if each["label"] == label)
    return found["value"], found["details"]


def test_a_repeated_passage_is_found_in_all_its_length(tree: Path) -> None:
    lines = [f"value_{number} = {number}" for number in range(8)]
    first = append(tree, "src/shop/core.py", "\n".join(lines) + "\n")
    inside = "\n".join(f"    {line}  # again\n" for line in lines)
    second = append(tree, "src/shop/web.py", f"if True:\n{inside}")
    (found,) = passages.repeated(read_modules(tree))
    assert (found.first.number, found.second.number, found.lines) == (first, second + 1, 8)


def test_a_repeated_passage_has_six_lines(tree: Path) -> None:
    for name in ("core", "web"):
        append(tree, f"src/shop/{name}.py", "".join(f"value_{number} = {number}\n" for number in range(5)))
    assert not passages.repeated(read_modules(tree))


def test_a_lazy_name_is_an_edge_to_its_home(tree: Path) -> None:
    modules = read_modules(tree)
    graph = imports.import_graph(imports.read_imports(tree, modules), modules)
    assert graph["shop.cli"] == {"shop", "shop.orders._order", "shop.orders._price"}
    assert graph["shop"] == set()


def test_a_stub_is_a_list_of_lazy_names(tree: Path) -> None:
    write(tree, "src/shop/__init__.py", "")
    write(tree, "src/shop/__init__.pyi", "from .orders._order import Order as Order\n")
    modules = read_modules(tree)
    assert imports.lazy_exports(tree, modules)["shop"] == {"Order": "shop.orders._order"}


def test_without_contracts_the_fewest_imports_run_upward(tree: Path) -> None:
    write(tree, "pyproject.toml", "")
    append(tree, "src/shop/core.py", "from . import orders\n")
    modules = read_modules(tree)
    graph = imports.import_graph(imports.read_imports(tree, modules), modules)
    assert len(layers.upward_imports(tree, graph)) == 1


def test_chains_and_circles() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"d"}}
    assert circles(graph) == [["b", "c"]]
    assert longest_chain(graph) == [["a"], ["b", "c"], ["d"]]


# Samples


def test_sentences_have_their_lines() -> None:
    text = dedent("""\
        # No sentence.

        One, e.g. this. Two
        goes on.

        - An `item.` here.
        - Another!

        ```
        code. More.
        ```
        | a table. |
        Three.
        """)
    assert sentences(text) == [
        Sentence(3, "One, e.g. this."),
        Sentence(3, "Two goes on."),
        Sentence(6, "An `item.` here."),
        Sentence(7, "Another!"),
        Sentence(13, "Three."),
    ]


def test_the_surface_is_what_users_reach(tree: Path) -> None:
    found = {each.name: each for each in surface.public(tree)}
    assert list(found) == ["Order", "Order.send", "Parcel", "Parcel.weigh", "Receipt", "Receipt.print"]
    assert found["Order.send"].docstring == "Send it."
    assert found["Order.send"].signature == "async def send(self) -> Parcel:"


@pytest.mark.parametrize(
    "arguments", [("sentences", "README.md"), ("docstrings", "--root", "."), ("mutants", "--root", ".")]
)
def test_the_same_seed_draws_the_same_sample(root: Path, tree: Path, arguments: tuple[str, ...]) -> None:
    paths = [str(tree / each) if each in {".", "README.md"} else each for each in arguments]
    one, two = (script(root, "sample.py", *paths, "--seed", 3, "--count", 1) for _ in range(2))
    assert one.returncode == 0, one.stderr
    assert one.stdout == two.stdout != "\n"


def test_mutants_of_every_kind(tree: Path) -> None:
    found = {(each.kind, each.old, each.new) for each in mutation.mutants(tree)}
    assert found >= {
        (
            "negated condition",
            "not is_member and count > limit()",
            "(not (not is_member and count > limit()))",
        ),
        ("dropped not", "not is_member", "(is_member)"),
        ("swapped comparison", "count > limit()", "(count >= limit())"),
        ("swapped and/or", "not is_member and count > limit()", "(not is_member or count > limit())"),
        ("changed constant", "3", "4"),
        ("dropped await", "await self._pack()", "pass"),
    }


def test_a_function_can_be_left_early(tree: Path) -> None:
    write(tree, "src/shop/core.py", "def f():\n    a()\n    b()\n    return c\n")
    (mutant,) = mutation.mutants(tree, "src/shop/core.py")
    mutant.apply(tree)
    assert (tree / "src/shop/core.py").read_text() == "def f():\n    a()\n    return\n    return c\n"


def test_a_mutant_of_another_text_is_refused(tree: Path) -> None:
    mutant = mutation.mutants(tree)[0]
    write(tree, str(mutant.path), "# changed since\n")
    with pytest.raises(ValueError, match="has changed since"):
        mutant.apply(tree)


@pytest.fixture
def _few_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests of the planted tree start fast."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.usefixtures("_few_plugins")
def test_tests_kill_mutants_in_a_copy(root: Path, tree: Path) -> None:
    write(tree, "src/shop/core.py", "def is_many(count):\n    return count > 3\n")
    write(
        tree,
        "tests/test_shop.py",
        """\
        from shop.core import is_many

        def test_few():
            assert not is_many(3)
        """,
    )
    before = {path: path.read_bytes() for path in tree.rglob("*.py")}
    where = ("--root", tree, "--within", "src/shop/core.py")
    trial = script(root, "mutants.py", "run", *where, "--seed", 1, "--tests", "tests")
    assert trial.returncode == 1, trial.stderr
    killed = "swapped comparison: count > 3 -> (count >= 3)\n   killed by tests/test_shop.py::test_few\n"
    assert killed in trial.stdout
    assert "changed constant: 3 -> 4\n   survived\n" in trial.stdout
    assert trial.stdout.endswith("1 killed, 1 survived\n")
    assert {path: path.read_bytes() for path in tree.rglob("*.py")} == before


@pytest.mark.usefixtures("_few_plugins")
def test_tests_that_fail_anyway_kill_nothing(root: Path, tree: Path) -> None:
    write(tree, "tests/test_shop.py", "def test_broken():\n    assert False\n")
    trial = script(root, "mutants.py", "run", "--root", tree, "--seed", 1, "--tests", "tests")
    assert trial.returncode == 2
    assert "tests/test_shop.py::test_broken" in trial.stderr


@pytest.mark.usefixtures("_few_plugins")
def test_tests_that_do_not_end_are_stopped(root: Path, tree: Path) -> None:
    write(tree, "tests/test_shop.py", "import threading\n\ndef test_stuck():\n    threading.Event().wait()\n")
    trial = script(root, "mutants.py", "run", "--root", tree, "--seed", 1, "--tests", "tests", "--timeout", 2)
    assert trial.returncode == 2
    assert "no end within 2 s" in trial.stderr
