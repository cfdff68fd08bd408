"""What is searched: every image of a place, fetched once, then filtered, ordered and paged here."""
