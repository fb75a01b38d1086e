"""The console's pages about transactions: the search, one with its messages, the live board of the switch (S4, S10)."""
