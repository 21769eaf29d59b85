"""The control units: what they measure, remember, judge and answer."""
