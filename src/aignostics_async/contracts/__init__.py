"""What a deployment speaks, in terms of `models.py`: one protocol, and a translation for each contract.

`_protocol` says what a translation offers, `_lines` chooses and loads one. `_requests` and `_decoding` are
the half that all translations share. Translations are named after their line, such as `v1_0`; no other
module sees generated code.
"""
