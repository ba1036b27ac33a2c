"""Files under way: hidden beside their final names, locked, and resumable after a crash.

`_partial_file` writes one, `_resume_record` stores which of its bytes are there, and `_target_folder`
prepares the place where it goes. `_file_io` reads and writes at positions, and translates the errors of file
systems.
"""
