"""Text that a person writes: strategies and components, with their problems shown while typing."""
