"""`python -m aignostics_async.cli`."""

from . import main

main()
