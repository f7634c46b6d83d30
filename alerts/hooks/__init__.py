"""Hooks: how a notification reaches people, one module a kind."""
