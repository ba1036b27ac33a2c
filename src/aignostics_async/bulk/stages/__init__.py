"""The stages that slides go through, all at once."""
