"""What keeps a lake small, fast and whole: compaction, retention, clean-up, verification."""
