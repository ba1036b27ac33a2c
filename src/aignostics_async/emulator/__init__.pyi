# The public names, each once; scripts/public_names.py makes _exports.py from this list.

from . import process as process, synthetic as synthetic
from ._host import ConnectionInfo as ConnectionInfo
from ._options import EmulatorOptions as EmulatorOptions
from ._server import serve as serve
