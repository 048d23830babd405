"""Tests of windows: real widgets and real events."""
