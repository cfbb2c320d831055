"""toy2d."""
