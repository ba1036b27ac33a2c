"""HTTP to the API and to token endpoints: the only package that imports httpx."""
