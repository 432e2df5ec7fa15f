"""What the project promises of its speed, measured: `make bench`.

Absolute times say more of the machine than of the code, so each figure is a ratio to a baseline of the same run.
"""
