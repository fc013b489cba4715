"""Ends badly."""

import sys

sys.exit("this step always fails")
