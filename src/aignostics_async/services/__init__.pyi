# The public names, each once; scripts/public_names.py makes _exports.py from this list.

from ._event_feed import Event as Event, EventFeed as EventFeed
from ._journal import Submission as Submission, SubmissionStatus as SubmissionStatus
from ._public_message import public_message as public_message
from ._submissions import BackgroundSubmissions as BackgroundSubmissions
from ._supervisor import Supervisor as Supervisor
