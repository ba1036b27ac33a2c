"""Bytes on the move: plans, files, names, progress and outcomes."""
