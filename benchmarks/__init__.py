"""What the parts cost, measured; each script prints its figures and their ratios."""
