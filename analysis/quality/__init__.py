"""How far a recording can be trusted, and what in it cannot be true."""
