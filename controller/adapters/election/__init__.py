"""Who acts on a platform: the only controller there is, or one of several."""
