"""The command line by group of commands. A command imports what it runs when it runs."""
