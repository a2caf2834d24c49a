"""The lives of one or two controllers, and what each has around it: a machine, a clock, a network, a store and specs."""
