"""`python -m vultus.cli`: the `vultus` command."""

from vultus.cli import main

if __name__ == "__main__":
    main()
