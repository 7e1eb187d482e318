"""Areas on the map, and what is told when vehicles enter, leave, stay, speed, or are too few there."""
