"""What we know, one file per thing: backends, languages, alerts, panels, generations of conventions, metric names."""
