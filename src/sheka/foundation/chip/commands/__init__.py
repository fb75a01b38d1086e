"""The commands of the card, one module a topic; `table` says which bytes reach which (card.md §5).

A handler gets the chip and the command and gives answer data (or a whole Response for a warning); it denies by raising
`Denied`. Lengths, 61xx and the keeping of changes are the card's business, not the handler's.
"""
