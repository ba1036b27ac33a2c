"""The translation of 1.8 and what is added to it.

`_requests` builds and sends, `_filters` and `_sorting` write the query, `_decoding` and `_states` read
responses.
"""
