"""The car as physics: what happens in engine, drive train, exhaust and wiring, fault or no fault."""
