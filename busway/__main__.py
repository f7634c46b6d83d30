"""`python -m busway`."""

from busway.cli import main

if __name__ == "__main__":
    main()
