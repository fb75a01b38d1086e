"""Papers that the node makes: templates of typst with their own fonts, facts that are data and never markup."""
