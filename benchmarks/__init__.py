"""Side-by-side measurements against the tools a user would pick instead: `python -m benchmarks [em …]`."""
