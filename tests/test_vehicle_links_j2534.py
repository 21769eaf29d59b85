"""Tests of vehicle.links: j2534."""
