"""What the emulator holds. It knows neither who changes it nor who reads it."""
