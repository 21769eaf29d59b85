"""Tests a technician carries out as asked: what is asked, what is watched for, how the outcome is judged."""
