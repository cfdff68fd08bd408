"""A simulated service with a sample catalogue, for trying and testing without keys."""
