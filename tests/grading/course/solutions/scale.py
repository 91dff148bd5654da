FACTOR = 3.0  # a helper file that the assignment names
