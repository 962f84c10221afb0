"""The API: the same as the pages, as JSON under /api/v1 for programs with a token. docs/api.md shows how to call it."""
