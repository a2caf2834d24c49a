"""Specs from Git, by its own command line: blobs are read from the object store, and nothing is ever checked out."""
