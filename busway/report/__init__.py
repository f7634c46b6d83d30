"""`busway report`: a month's accounts as one page and its CSV files."""
