"""Tests of vehicle.uds."""
