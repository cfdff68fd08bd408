"""What words are, and what they mean in this field."""
