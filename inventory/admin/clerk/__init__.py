"""Pages for who works with keyboard and scanner, see docs/guide/scanning.md."""
