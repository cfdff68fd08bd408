"""What a model sees: schemas, answers as structure and as text, coded errors."""
