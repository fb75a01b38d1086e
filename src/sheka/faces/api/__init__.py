"""The API: `/api/v1`, its description, its tokens (S9, docs/office/api.md)."""
