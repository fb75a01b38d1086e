"""Card reading equipment (H4): the reader drivers, the session with a card, the reader's own finding (R7)."""
