"""What the tests stand on: real BEAMs, a real epmd, and nothing that the package itself ships."""
