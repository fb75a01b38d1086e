"""Pages of custody: stock, orders, hand-overs, counts, third parties, destruction (K5-K7)."""
