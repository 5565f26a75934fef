"""Code that nobody here wrote, differentiated unmodified."""
