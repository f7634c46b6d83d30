"""Roll-ups: readings by the minute, and what energies are reckoned from, kept as data comes."""
