"""Whether the controller kept its promises, by what really happened: the checker, and what it takes as an excuse."""
