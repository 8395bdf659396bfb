"""Workers that are killed, queues that are lost: each message must still have exactly one effect."""
