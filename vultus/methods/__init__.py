"""The methods, one folder each, which know nothing of each other."""

METHODS: dict[str, str] = {
    "portrait": "vultus.methods.portrait",
}
"""The registry: name -> module, imported only when asked for."""
