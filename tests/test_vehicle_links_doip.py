"""Tests of vehicle.links: doip."""
