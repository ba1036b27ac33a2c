"""The identity provider: `_oauth` has its endpoints for programs, `_pages` those for users.

`_templates` fills the HTML in `templates/`.
"""
