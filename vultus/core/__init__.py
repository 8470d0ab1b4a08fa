"""The bottom row: types, controls, configuration, errors. Imports nothing from the rest of vultus."""
