"""A small, real connector platform. It imports nothing else of this project; `serve` is its door."""
