"""HTTP to the API and to identity providers.

- `_client`: the only import of httpx
- `_api_pool`: requests with the API's token; `_token_request`: forms to an identity provider
- `_responses`: errors and headers of a response; `_retry`: the one retry policy
"""
