"""Exactly one run for each chunk of items, whatever is lost on the way."""
