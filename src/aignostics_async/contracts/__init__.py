"""The platform's contract: requests, decoding and states. The only package that sees generated code."""
