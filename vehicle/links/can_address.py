"""What follows `can:` in an adapter's address, read strictly."""
