"""Find, compare and open the community images of CompShare (优云智算)."""

__version__ = "0.1.0"
