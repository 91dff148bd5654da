"""The frame slider (written by the site)."""
