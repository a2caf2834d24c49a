"""Defects by hand, one or more for each rule of the protocol, and what finds each of them: a measure of how strong the tests are."""
