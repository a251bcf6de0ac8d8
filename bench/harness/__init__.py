"""What bench/run stands on: a gateway of its own for each case, peers beside it, rows of results, a page."""
