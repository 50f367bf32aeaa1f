"""The columns of the drift bench: 30 numeric ones, 6 categorical ones, a day."""

NUMBERS = [f"number_{index:02d}" for index in range(30)]
CATEGORIES = [f"category_{index}" for index in range(6)]
