"""What a car says about its own health: readiness, codes, freeze frames, on-board tests, identity; per ECU."""
