"""Results of runs into files."""
