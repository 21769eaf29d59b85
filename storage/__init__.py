"""What is remembered: vehicles, sessions, samples, findings, people."""
