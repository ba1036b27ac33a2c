"""Facts about a checkout, read from its files with the standard library alone.

source     the Python modules below a folder, each read and parsed once
imports    which module imports which, and under which name
graph      strongly connected components and the longest chain of a graph
layers     imports that run against the order of the layers
typenames  where each type name is defined
functions  how long functions are
passages   passages of code that occur more than once
figures    all of these as one list of figures
words      retired words in identifiers and in prose
surface    the public functions, classes and methods, and their docstrings
sentences  the sentences of a Markdown file
mutation   small faults that can be planted in a module
trial      run the tests against a mutant in a scratch copy

The scripts `tree_figures.py`, `check_names.py`, `sample.py` and `mutants.py` are the commands on top of them.
"""
