"""Progress of transfers: typed events, their totals, lines of text, and bars in terminals and notebooks."""
