"""The report of a job: what became of every item, for a person, a spreadsheet and a script."""
