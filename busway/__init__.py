"""The command line: starts things, owns no logic."""
