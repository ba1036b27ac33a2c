"""Each public name and its module, made from `__init__.pyi` by scripts/public_names.py."""

HOMES = {
    "BackgroundSubmissions": "_submissions",
    "Event": "_event_feed",
    "EventFeed": "_event_feed",
    "Submission": "_journal",
    "SubmissionStatus": "_journal",
    "Supervisor": "_supervisor",
    "public_message": "_public_message",
}
