"""How many workers a bulk job needs, how long it takes, and which limit comes first.

`costs` are what an item costs, as `jobs` measured it on a small cluster; `model` is arithmetic with them;
`check` holds a prediction to a run.

    python -m benchmarks.scale
"""
