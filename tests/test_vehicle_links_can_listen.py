"""Tests of vehicle.links: can_listen."""
