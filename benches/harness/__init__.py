"""What schedules the measured programs, collects their samples and reports ratios."""
