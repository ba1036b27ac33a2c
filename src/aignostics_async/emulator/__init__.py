"""The platform on your laptop: API, OAuth, signed storage and runs that do real work.

For development and tests, never for the open network. Needs the `emulator` extra; start it with
`aignostics-async emulator`, or from tests with `aignostics_async.testing`.
"""
