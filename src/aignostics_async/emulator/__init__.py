"""An emulator of the platform: API, OAuth, signed storage, and runs that analyse real slides.

For development and tests, never for an open network. Needs the `emulator` extra. Start it with
`aignostics-async emulator`, or in tests with `aignostics_async.testing`.
"""

# - `process`: an emulator in a process of its own; `_control_client`: its control API as methods
# - `synthetic`: slides to submit
# - `_server`: the socket; `_host`: resets; `_app`: the ASGI application
# - `api`: the API, under each contract; `_operations` names its operations
# - `_oauth`, `_pages`, `_storage`, `_buckets`, `_control`: the other endpoints
# - `_faults`, `_allowed_hosts`: ASGI layers around them
# - `_platform`: the state in words of its own, whatever the contract. Made of `_history`, `_access`,
#   `_objects`, `_token_registry`, `_pending_logins` and `_simulated_clock`, which `_state_database` stores
# - `_catalogue`, `_account`, `_conditions`: what there is to run, who asks, what the platform is like
# - `_lifecycle`, `_analysis`: what becomes of runs

from .._core._lazy_exports import lazy_exports
from ._exports import HOMES

__getattr__, __dir__, __all__ = lazy_exports(__name__, HOMES)
