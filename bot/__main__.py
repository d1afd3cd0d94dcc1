"""`python -m bot` is the `nextreel` command."""

from bot.cli import main

if __name__ == "__main__":
    main()
