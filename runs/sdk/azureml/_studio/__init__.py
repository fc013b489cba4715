"""How this package talks to the studio; nothing here is part of the SDK's surface."""
