"""River detectors over errors, scores and features."""
