"""The `nextreel` command's first breath; `python -m bot` is the same."""

import sys


def main() -> None:
    """Run the command; Ctrl-C ends it with 130 even while it is still being imported."""
    try:
        from bot import cli

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
