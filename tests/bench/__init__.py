"""Speed, as ratios against a bare reference in the same run: `make bench`."""
