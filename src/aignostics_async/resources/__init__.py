"""The nouns of the API and their verbs."""
