"""The API: `/api/v1`, its description, its tokens (docs/office/api.md)."""
