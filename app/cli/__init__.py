"""The command line: `medstead …`."""
