"""What is fetched: the signed client of one action, and what its answers mean."""
