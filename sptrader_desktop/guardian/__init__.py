"""The process between the core and the broker: gate, emergency stop, latch. Standard library only: nothing heavy keeps it from acting."""
