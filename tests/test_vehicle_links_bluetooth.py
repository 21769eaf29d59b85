"""Tests of vehicle.links: bluetooth."""
