"""Tests of `grouplink.spark`; see `conftest.py` for the sessions they run in."""
