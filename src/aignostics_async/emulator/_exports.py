"""Each public name and its module, made from `__init__.pyi` by scripts/public_names.py."""

HOMES = {
    "ConnectionInfo": "_host",
    "EmulatorOptions": "_options",
    "process": "",
    "serve": "_server",
    "synthetic": "",
}
