"""What a revision of the specs changes against another one, without any store, platform or network."""
