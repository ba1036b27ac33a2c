"""What can be known of a job before its first byte: its slides, their faults, its price."""
