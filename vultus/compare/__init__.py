"""A video against a real one: every measure that can be computed, and which cannot and why."""
