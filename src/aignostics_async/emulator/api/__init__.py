"""The API of the platform, with a translation per contract of requests and answers to the emulator's core.

- `_contract`: a contract's document and address; `_switch`: which contract a request is for
- `_endpoints`: the ASGI application of one contract, from a `Translation`
- `_reference`: contract 1.0; `line_1_8`: contract 1.8
- `_request_validation`, `_conformance`, `_undocumented`: requests and answers against the document
- `_selection`, `_inputs`: what the translations share
"""
