"""A year of the planner on a virtual clock, and a checker that knows which slots there are without asking it."""
