"""Tests of vehicle.links: can."""
