"""What is asked of the world, one small file per port."""
