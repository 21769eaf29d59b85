"""The parts of the fault-injection benchmark of anomaly detection: drives, faults, measures and rivals."""
