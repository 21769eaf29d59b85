"""How a car was driven: distance, stops, events, gears, and how fast it was."""
