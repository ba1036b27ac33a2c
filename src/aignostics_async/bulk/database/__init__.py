"""What a job knows: one database in its folder, the only truth, and a journal for people."""
