"""What slots to come will come to, if syncs last as long as they usually do."""
