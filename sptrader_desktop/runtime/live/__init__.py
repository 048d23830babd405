"""The live session: symbols side by side, each with its services, under supervision. Plain asyncio, no Qt, no money."""
