"""What learning systems tell by xAPI statements: kept as they came, and understood by rules."""
