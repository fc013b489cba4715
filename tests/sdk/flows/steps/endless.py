"""Runs until it is canceled."""

import time

print("waiting", flush=True)
while True:
    time.sleep(1)
