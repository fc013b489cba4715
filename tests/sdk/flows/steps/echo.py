"""Prints what it is given."""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--text", default="")
print(parser.parse_args().text)
