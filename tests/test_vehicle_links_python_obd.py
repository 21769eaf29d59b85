"""Tests of vehicle.links: python_obd."""
