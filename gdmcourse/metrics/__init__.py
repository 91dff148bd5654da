"""Scores of generative models, all computed on the course's own feature network."""
