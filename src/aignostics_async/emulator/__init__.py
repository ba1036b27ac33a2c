"""An emulator of the platform: API, OAuth, signed storage, and runs that analyse real slides.

For development and tests, never for an open network. Needs the `emulator` extra. Start it with
`aignostics-async emulator`, or in tests with `aignostics_async.testing`.
"""

# - `process`: an emulator in a process of its own; `_control_client`: its control API as methods
# - `synthetic`: slides to submit
# - `_server`: the socket; `_host`: resets; `_app`: the ASGI application
# - `api`: the API, under each contract; `_operations` names its operations
# - `identity`, `storage`, `_control`: the other endpoints
# - `_faults`, `_allowed_hosts`: ASGI layers around them
# - `platform`: the state that all endpoints share, and what becomes of runs

from .._core._lazy_exports import lazy_exports
from ._exports import HOMES

__getattr__, __dir__, __all__ = lazy_exports(__name__, HOMES)
