"""The test binaries: what they are, where they are kept, and how they are built. Python standard library only."""
