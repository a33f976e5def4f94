"""``python -m hgnpipe``: see `hgnpipe.cli`."""

from hgnpipe.cli.commands import main

if __name__ == "__main__":
    main()
